"""One section of the report by itself: a view on small scores, and what the section says."""

from dataclasses import replace

import pandas as pd

from serving.report_parts.blocks import Cards, Figure, Note, Table
from serving.report_parts.extras import Extras
from serving.report_parts.view import view
from serving.report_parts.words import ENGLISH
from tests.serving.report_world import NO_METRICS

NOTHING = Extras()
ROW = {
    "status": "scored",
    "churn_probability": 0.5,
    "expected_value": 100.0,
    "tier": "maintain",
    "stage": "maturity",
    "expected_loss": 50.0,
}


def people(*rows, **columns):
    """Scores of one row each, as ROW but for what is given; `columns` are the same in all."""
    named = [{"customer_id": f"C{place}", **ROW, **columns, **row} for place, row in
             enumerate(rows)]  # fmt: skip
    return pd.DataFrame(named)


def seen(scores, extras=NOTHING, methods=None, words=ENGLISH):
    """What a section is given."""
    return replace(view(scores, None, NO_METRICS, "", words, extras), methods=methods)


def tables(section):
    """The tables of a section by key, those behind its figures too: rows of numbers, else texts."""
    blocks = [*section.blocks, *(b.table for b in section.blocks if isinstance(b, Figure))]
    return {
        block.key: [[cell.text if cell.value is None else cell.value for cell in row]
                    for row in block.rows]
        for block in blocks
        if isinstance(block, Table)
    }  # fmt: skip


def table(section, key):
    """The one table of a section with that key, as the block that it is."""
    return next(block for block in section.blocks if isinstance(block, Table) and block.key == key)


def heads(block):
    return [column.label for column in block.columns]


def smalls(block):
    """The second lines of a table, row by row."""
    return [[cell.small for cell in row] for row in block.rows]


def notes(section):
    return [block.text for block in section.blocks if isinstance(block, Note)]


def cards(section):
    """The figures of a section's cards by key."""
    return {card.key: card.cell.value for block in section.blocks if isinstance(block, Cards)
            for card in block.cards}  # fmt: skip


def figures(section):
    return [block for block in section.blocks if isinstance(block, Figure)]
