"""A list of customers by a condition on their scores, with what a campaign must know of each.

The condition is a boolean expression of SQL over the columns of the score table. It is read into a
tree in which only comparisons, arithmetic and logic may stand, and written anew from that tree, so
that nothing else ever reaches the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp

from features import backend
from features.errors import UserError
from serving import planner
from serving.planner import CONTACT_CAP_DAYS, CONTACTED, Terms

# What of the scores every list has, where they have it; and the columns that its condition names.
COLUMNS = ("customer_id", "as_of", "status", "churn_probability", "churn_percentile", "churn_band",
           "tier", "stage", "cause", "lever", "clv_future", "expected_loss", "saveable_loss",
           "max_spend", "retain_advised")  # fmt: skip
LATELY, CONTROL = "contacted_lately", "is_control"
# What may stand in a condition: nothing that reads, writes, calls or runs anything.
_LOGIC = (exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In,
          exp.Between, exp.Is, exp.Like, exp.ILike, exp.Boolean)  # fmt: skip
_VALUES = (exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Neg, exp.Paren, exp.Tuple,
           exp.Add, exp.Sub, exp.Mul, exp.Div)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What a list is to be.

    where: the condition; empty for everyone. name: draws the control group, as of a plan of that
    name. control_share: of the list, kept aside by lot. contact_cap_days: who was contacted within
    them is marked. everybody: those whom it is not advised to keep as well.
    """

    where: str = ""
    name: str = "plan"
    control_share: float = 0.0
    contact_cap_days: float = CONTACT_CAP_DAYS
    everybody: bool = False


def condition(where: str, columns: Sequence[str]) -> str:
    """The condition as the engine is given it.

    columns: those of the score table. Raises UserError for text that is no boolean expression, one
    with anything but comparisons, arithmetic and logic, and one that names an unknown column.
    """
    try:
        statements = sqlglot.parse(where, read=backend.EMBEDDED)
    except sqlglot.errors.SqlglotError as error:
        raise UserError(_refusal(where, str(error).splitlines()[0])) from None
    if len(statements) != 1 or statements[0] is None:
        raise UserError(_refusal(where, "it is not one expression"))
    tree = statements[0]
    others = {type(node).__name__ for node in tree.walk() if not isinstance(node, _LOGIC + _VALUES)}
    if others or any(column.table for column in tree.find_all(exp.Column)):
        raise UserError(_refusal(where, f"{', '.join(sorted(others)) or 'a table'} stands in it"))
    if not isinstance(tree.unnest(), (*_LOGIC, exp.Column)):
        raise UserError(_refusal(where, "it is neither true nor false of a customer"))
    unknown = sorted(set(named(where)) - set(columns))
    if unknown:
        raise UserError(
            f"The list asks for {', '.join(unknown)}, but the score table has no such column. Its "
            f"columns are {', '.join(columns)}. Texts stand in single quotes, such as tier = 'mvc'."
        )
    return tree.sql(dialect=backend.EMBEDDED, comments=False)


def named(where: str) -> list[str]:
    """The columns that a condition names, in order, each once."""
    if not where:
        return []
    tree = sqlglot.parse_one(where, read=backend.EMBEDDED)
    return list(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def customers(scores: Path, asked: Listing) -> pd.DataFrame:
    """The rows of a score file that a list is of, with every column.

    Raises UserError as `condition` does, and when the engine cannot compare what is compared.
    """
    columns = pq.read_schema(scores).names
    where = condition(asked.where, columns) if asked.where else "true"
    try:
        rows = backend.rows_where([scores], where).to_pandas()
    except backend.ENGINE_ERRORS as error:
        raise UserError(_refusal(asked.where, str(error).splitlines()[0])) from None
    return rows if asked.everybody else rows[planner.is_advised(rows)].reset_index(drop=True)


def listed(rows: pd.DataFrame, asked: Listing) -> pd.DataFrame:
    """The list: COLUMNS and those of the condition, days since the last contact, LATELY, CONTROL.

    rows: customers, with CONTACTED where it is known. Those with most at stake come first.
    """
    terms = Terms(asked.name, control_share=asked.control_share)
    stake = rows[planner.at_stake(rows)].to_numpy(dtype=np.float64, na_value=np.nan)
    order = np.lexsort((rows.customer_id, -np.nan_to_num(stake)))
    names = [n for n in dict.fromkeys([*COLUMNS, *named(asked.where)]) if n in rows]
    days = rows[CONTACTED] if CONTACTED in rows else pd.Series(np.nan, rows.index)
    lately = (days < asked.contact_cap_days).astype("boolean")
    known = CONTACTED in rows  # who was never contacted has no days
    found = rows[names].assign(**{
        CONTACTED: days,
        LATELY: lately if known else lately.mask(lately.notna()),
        CONTROL: planner.kept_aside(rows.customer_id, terms),
    })  # fmt: skip
    return found.iloc[order].reset_index(drop=True)


def write(rows: pd.DataFrame, path: Path) -> Path:
    """Write a list as .parquet or .csv, whole or not at all."""
    if path.suffix not in (".parquet", ".csv"):
        raise UserError(f"A list cannot be written to {path}. Name a .parquet or a .csv file.")
    if path.suffix == ".parquet":
        return backend.write_frame(rows, path)
    with backend.whole_or_nothing(path) as temporary:
        rows.to_csv(temporary, index=False)
    return path


def _refusal(where: str, why: str) -> str:
    return (
        f"The list {where!r} cannot be made: {why}. Write a condition over columns of the score "
        "table, such as churn_band = 'high' and tier in ('mvc', 'mgc') and saveable_loss > 20."
    )
