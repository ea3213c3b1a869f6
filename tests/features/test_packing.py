"""Given rows, the one value they are packed into and what is read back of it."""

import math
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from features.packing import Layout, Stamp, headers, nothing

STAMP = Stamp(datetime(2024, 3, 31, 23, 59, 59, 999999), datetime(2024, 4, 1, 6, 0, 0, 1))
LAYOUT = Layout(("spend", "gap"), ("city",))


def batch(**columns):
    return pa.RecordBatch.from_pydict(columns)


def packed(layout=LAYOUT):
    money = batch(customer_id=["ann", "bob"], spend=[0.1, -0.0])
    rhythm = batch(customer_id=["ann", "bob"], city=["Rome", None], gap=[None, 1e-300])
    return layout.pack([money, rhythm], STAMP)


def test_the_layout_is_the_numbers_and_the_texts_of_the_families_without_the_keys():
    purchases = pa.schema({"customer_id": pa.string(), "spend": pa.float64()})
    people = pa.schema({"customer_id": pa.string(), "city": pa.string(), "gap": pa.float64(),
                        "event_timestamp": pa.timestamp("us", "UTC")})  # fmt: skip
    assert Layout.of([purchases, people]) == LAYOUT


def test_a_row_comes_back_to_the_last_bit_and_the_microsecond():
    latest = LAYOUT.unpack(packed())
    assert latest.values.columns.tolist() == ["spend", "gap", "city"]
    assert latest.values.spend.tolist() == [0.1, 0.0]
    assert math.copysign(1, latest.values.spend[1]) == -1
    assert latest.values.gap.isna().tolist() == [True, False]
    assert latest.values.gap[1] == 1e-300
    assert latest.values.city.tolist() == ["Rome", None]
    assert latest.values.dtypes.tolist() == [float, float, object]
    assert latest.as_of.tolist() == [pd.Timestamp(STAMP.as_of)] * 2
    assert latest.status.tolist() == ["present", "present"]


def test_customers_without_a_row_are_missing_wherever_they_stand():
    ann, bob = packed()
    latest = LAYOUT.unpack([None, bob, nothing(STAMP), ann])
    assert latest.status.tolist() == ["missing", "present", "missing", "present"]
    assert latest.values.city.tolist() == [None, None, None, "Rome"]
    assert latest.as_of.isna().tolist() == [True, False, True, False]


def test_a_row_of_other_features_is_outdated_and_none_of_its_values_is_read():
    renamed = Layout(("spend", "silence"), ("city",))
    latest = renamed.unpack(packed())
    assert latest.status.tolist() == ["outdated", "outdated"]
    assert latest.values.isna().all(axis=None)
    assert latest.as_of.tolist() == [pd.Timestamp(STAMP.as_of)] * 2


def test_the_same_features_in_another_order_are_another_layout():
    assert Layout(("gap", "spend"), ("city",)).digest != LAYOUT.digest
    assert Layout(("spend", "gap", "city"), ()).digest != LAYOUT.digest


def test_the_values_of_nobody_have_the_columns():
    assert LAYOUT.unpack([]).values.columns.tolist() == ["spend", "gap", "city"]
    assert len(LAYOUT.unpack([]).status) == 0


def test_a_business_without_texts_has_rows_of_numbers_alone():
    layout = Layout(("spend",), ())
    rows = layout.pack([batch(customer_id=["ann"], spend=[3.0])], STAMP)
    assert layout.unpack(rows).values.to_dict("list") == {"spend": [3.0]}


def test_the_values_may_be_changed_by_who_asked_for_them():
    values = LAYOUT.unpack(packed()).values
    values.loc[0, "spend"] = 7.0
    assert values.spend.tolist() == [7.0, 0.0]


def test_the_header_says_when_a_row_was_computed():
    assert headers(packed())["computed_at"].tolist() == [STAMP.computed_at] * 2
    assert np.isnat(headers([None])["as_of"]).all()
