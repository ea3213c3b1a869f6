"""The figures of a customer business, each from the events or said to need data that are not there.

Source: items 4, 6, 10, 26 and 30 of the customer-relationship theory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "days", "hours", "count", "money", "ratio"]


@dataclass(frozen=True)
class Kpi:
    """One figure: its key, which names its words, the part of the sheet, and its value.

    needs: where there is no value, the code of the data that would give it (abstention.NEEDS).
    """

    key: str
    block: Literal["identify", "insight", "creation", "relationship"]
    value: float | None
    unit: Unit
    needs: str | None = None
