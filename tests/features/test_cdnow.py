"""CDNOW: lines of the publisher's files become purchases, and the published figures come out."""

import gzip

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.datasets import cdnow
from features.errors import UserError
from tests.real_data import real_data

MASTER = (
    " customer_id  date number_of_cds  dollar_value\r\n"
    " 00007 19970112  1   12.00\r\n"
    " 00007 19970112  5   77.00\r\n"
    " 00002 19980630  2    0.00\r\n"
    " 00007 19970112  1   12.00\r\n"
)
SAMPLE = " 00007 0001 19970112  1   12.00\r\n 00002 0002 19980630  2    0.00\r\n"


def days(*texts):
    return pd.to_datetime(list(texts)).astype("datetime64[us]")


def test_every_line_of_the_master_becomes_a_transaction(tmp_path):
    (tmp_path / "CDNOW_master.txt").write_bytes(MASTER.encode())

    given = cdnow.load(tmp_path)

    assert_frame_equal(
        given["transactions"],
        pd.DataFrame(
            {
                "customer_id": ["00007", "00007", "00002", "00007"],
                "happened_at": days("1997-01-12", "1997-01-12", "1998-06-30", "1997-01-12"),
                "amount": [12.0, 77.0, 0.0, 12.0],
                "quantity": [1, 5, 2, 1],
            }
        ),
    )
    assert_frame_equal(
        given["customers"],
        pd.DataFrame(
            {
                "customer_id": ["00002", "00007"],
                "first_seen_at": days("1998-06-30", "1997-01-12"),
            }
        ),
    )


def test_the_sample_goes_by_the_ids_of_the_master(tmp_path):
    (tmp_path / "CDNOW_sample.txt").write_bytes(SAMPLE.encode())

    assert_frame_equal(
        cdnow.load_sample(tmp_path)["transactions"],
        pd.DataFrame(
            {
                "customer_id": ["00007", "00002"],
                "happened_at": days("1997-01-12", "1998-06-30"),
                "amount": [12.0, 0.0],
                "quantity": [1, 2],
            }
        ),
    )


def test_there_are_no_interactions_but_their_columns(tmp_path):
    (tmp_path / "CDNOW_master.txt").write_bytes(MASTER.encode())

    interactions = cdnow.load(tmp_path)["interactions"]

    assert interactions.empty
    assert list(interactions.columns) == ["customer_id", "happened_at", "kind"]
    assert interactions["happened_at"].dtype == "datetime64[us]"


@pytest.mark.parametrize("spelling", [".csv", ".csv.gz", ".txt", ".txt.gz"])
def test_a_file_may_be_spelled_in_four_ways(tmp_path, spelling):
    content = MASTER.encode()
    packed = gzip.compress(content) if spelling.endswith(".gz") else content
    (tmp_path / f"CDNOW_master{spelling}").write_bytes(packed)

    assert len(cdnow.load(tmp_path)["transactions"]) == 4


@pytest.mark.parametrize(
    ("load", "name"), [(cdnow.load, "CDNOW_master"), (cdnow.load_sample, "CDNOW_sample")]
)
def test_a_missing_file_is_named(tmp_path, load, name):
    with pytest.raises(UserError) as error:
        load(tmp_path)

    assert str(error.value) == (
        f"The file {name} was looked for in the folder {tmp_path} as .csv, .csv.gz, .txt, "
        ".txt.gz, but it is not there. Put the file into that folder, or give the folder that "
        "holds it."
    )


@pytest.fixture(scope="module")
def master():
    return cdnow.load(real_data("cdnow"))


@pytest.fixture(scope="module")
def sample():
    return cdnow.load_sample(real_data("cdnow"))


def figures(tables):
    """The publisher's figures, as a reader would count them in the tables."""
    purchases = tables["transactions"]
    days_bought = purchases.drop_duplicates(["customer_id", "happened_at"])
    first = tables["customers"]["first_seen_at"]

    # 39 weeks of calibration and 39 of hold-out.
    calibration = purchases[purchases["happened_at"] < "1997-10-01"]
    holdout = purchases[purchases["happened_at"] >= "1997-10-01"]
    repeat_days = (
        days_bought["happened_at"].lt("1997-10-01").groupby(days_bought["customer_id"]).sum() - 1
    )
    age_weeks = (pd.Timestamp("1997-09-30") - first).dt.days / 7

    return {
        "purchases": len(purchases),
        "customers": len(tables["customers"]),
        "customer-days": len(days_bought),
        "repeated lines": int(purchases.duplicated().sum()),
        "purchases worth 0": int((purchases["amount"] == 0).sum()),
        "CDs": int(purchases["quantity"].sum()),
        "most CDs": int(purchases["quantity"].max()),
        "dollars": round(purchases["amount"].sum(), 2),
        "largest purchase": purchases["amount"].max(),
        "first day": f"{purchases['happened_at'].min():%Y-%m-%d}",
        "last day": f"{purchases['happened_at'].max():%Y-%m-%d}",
        "last first purchase": f"{first.max():%Y-%m-%d}",
        "youngest and oldest, weeks": (round(age_weeks.min(), 2), round(age_weeks.max(), 2)),
        "calibration: lines": len(calibration),
        "calibration: dollars": round(calibration["amount"].sum(), 2),
        "calibration: repeat purchase days": int(repeat_days.sum()),
        "calibration: customers with a repeat": int((repeat_days > 0).sum()),
        "hold-out: lines": len(holdout),
        "hold-out: purchase days": int((days_bought["happened_at"] >= "1997-10-01").sum()),
        "hold-out: customers who buy": holdout["customer_id"].nunique(),
        "hold-out: dollars": round(holdout["amount"].sum(), 2),
        "per cent with no purchase in the hold-out": round(
            100 * (1 - holdout["customer_id"].nunique() / len(first)), 2
        ),
    }


@pytest.fixture(scope="module")
def counted(master, sample):
    return {"master": figures(master), "sample": figures(sample)}


PUBLISHED = {
    "purchases": (69_659, 6_919),
    "customers": (23_570, 2_357),
    "customer-days": (67_591, 6_696),
    "repeated lines": (255, 21),
    "purchases worth 0": (80, 8),
    "CDs": (167_881, 16_479),
    "dollars": (2_500_315.63, 244_091.94),
    "largest purchase": (1_286.01, 506.97),
    "calibration: lines": (49_086, 4_960),
    "calibration: dollars": (1_723_354.50, 173_115.55),
    "calibration: repeat purchase days": (24_337, 2_457),
    "calibration: customers with a repeat": (9_451, 946),
    "hold-out: lines": (20_573, 1_959),
    "hold-out: purchase days": (19_684, 1_882),
    "hold-out: customers who buy": (7_058, 684),
    "hold-out: dollars": (776_961.13, 70_976.39),
    "per cent with no purchase in the hold-out": (70.06, 70.98),
}


@pytest.mark.parametrize("figure", PUBLISHED)
def test_published_figures_come_out(counted, figure):
    assert (counted["master"][figure], counted["sample"][figure]) == PUBLISHED[figure]


@pytest.mark.parametrize(
    ("figure", "published"),
    [
        ("first day", "1997-01-01"),
        ("last day", "1998-06-30"),
        ("last first purchase", "1997-03-25"),
        ("most CDs", 99),
        ("youngest and oldest, weeks", (27.00, 38.86)),
    ],
)
def test_published_span_of_the_master_comes_out(counted, figure, published):
    assert counted["master"][figure] == published


def test_mean_dollars_per_repeat_day_of_the_sample_is_as_published(sample):
    purchases = sample["transactions"]
    calibration = purchases[purchases["happened_at"] < "1997-10-01"]
    days_bought = calibration.groupby(["customer_id", "happened_at"])["amount"].sum()
    repeats = days_bought[days_bought.groupby("customer_id").cumcount() > 0]

    assert round(repeats.groupby("customer_id").mean().mean(), 2) == 35.08


def test_the_sample_is_the_rows_of_its_customers_in_the_master(master, sample):
    columns = ["customer_id", "happened_at", "amount", "quantity"]
    of_master = master["transactions"]
    same_customers = of_master["customer_id"].isin(sample["customers"]["customer_id"])

    assert_frame_equal(
        of_master[same_customers].sort_values(columns, ignore_index=True),
        sample["transactions"].sort_values(columns, ignore_index=True),
    )
