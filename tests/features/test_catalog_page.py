"""Given families, expected page; and the page in the repository is that of today's families."""

import pytest

from features.catalog import FAMILIES, every_feature
from features.catalog_page import PAGE, page
from features.family import Family


def mean_of_all(past):
    """One row: the mean amount.

    More about it.
    """
    return past.agg(mean=past.amount.mean())


@pytest.fixture
def small():
    """A family with a window, a text and a description that has a bar."""
    family = Family("till", "transactions", "What was paid.", population=mean_of_all, owner="tills")

    @family.feature(days=(7, 30))
    def paid(past, recent):
        """Money paid in {days} days, currency units."""
        return past.amount.sum(where=recent)

    @family.feature
    def shop(past):
        """Name of the shop, east|west."""
        return past.channel.max()

    return family


def test_the_page_has_a_list_of_the_families_and_a_table_of_each(small):
    text = page([small])
    assert text.startswith("# The features\n")
    assert text[text.index("Families: ") :] == (
        "Families: 1, features: 3.\n"
        "\n"
        "| family | features | source | owner |\n"
        "| --- | --- | --- | --- |\n"
        "| [till](#till) | 3 | transactions | tills |\n"
        "\n"
        "## till\n"
        "\n"
        "What was paid.\n"
        "\n"
        "Features: 3, from the table `transactions`. Compared with everybody's past: "
        "One row: the mean amount.\n"
        "\n"
        "| feature | type | window | privacy | what it says |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `paid_7d` | number | 7 days | behaviour | Money paid in 7 days, currency units. |\n"
        "| `paid_30d` | number | 30 days | behaviour | Money paid in 30 days, currency units. |\n"
        "| `shop` | text |  | behaviour | Name of the shop, east\\|west. |\n"
    )


def test_the_page_in_the_repository_is_that_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        f"{PAGE.name} is older than the features. Make it anew: python -m features.catalog_page"
    )


def test_every_listed_feature_and_family_stands_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    assert [f.name for f in FAMILIES if f"\n## {f.name}\n" not in text] == []
    assert [f.name for _, f in every_feature() if f"| `{f.name}` | " not in text] == []
