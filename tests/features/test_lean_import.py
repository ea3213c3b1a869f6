"""Feast is imported without typeguard's checks, and typeguard is as before to everybody else."""

import pytest
import typeguard

from features import store
from features.lean_import import lean


def twice(number: int) -> int:
    return 2 * number


def test_within_it_nothing_is_checked_and_afterwards_all_is():
    before = typeguard.typechecked
    with lean():
        assert typeguard.typechecked(twice) is twice
        assert typeguard.typechecked(forward_ref_policy="ignore")(twice) is twice
    assert typeguard.typechecked is before
    with pytest.raises(typeguard.TypeCheckError):
        typeguard.typechecked(twice)("two")


def test_a_failed_import_leaves_typeguard_as_it_was():
    before = typeguard.typechecked
    with pytest.raises(ImportError), lean():
        raise ImportError
    assert typeguard.typechecked is before


def test_feast_came_in_without_checks():
    feast = store.feast
    for made in (feast.Entity.__init__, feast.FeatureView.__init__):
        assert "typeguard" not in made.__code__.co_names
