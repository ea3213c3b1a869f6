"""A policy as JSON and back."""

import json
from dataclasses import replace

import pytest

from features.errors import UserError
from serving import policy_record
from serving.policy import POLICY
from training.lifecycle import LIFECYCLE

OTHER = replace(POLICY, version=7, bands=(0.1, 0.9), currency="CNY", cost_to_serve=12.5,
                lifecycle=replace(LIFECYCLE, least_alive=1 / 3))  # fmt: skip


@pytest.mark.parametrize("policy", [POLICY, OTHER])
def test_what_was_told_makes_the_same_policy_again(policy):
    stored = json.loads(json.dumps(policy_record.to_dict(policy)))
    assert policy_record.from_dict(stored) == policy
    assert stored["label"] == policy.label


def test_a_field_that_did_not_exist_then_has_its_default():
    stored = policy_record.to_dict(OTHER)
    del stored["save_rate"]
    assert policy_record.from_dict(stored) == OTHER


def test_a_rule_that_no_longer_exists_is_named():
    stored = json.loads(json.dumps(policy_record.to_dict(POLICY)))
    stored["levers"]["moon_phase"] = 1.0
    with pytest.raises(UserError, match=r"levers\.moon_phase"):
        policy_record.from_dict(stored)
