"""What the data given cannot tell, and which data would: no blank is left unexplained."""

from __future__ import annotations

from collections.abc import Mapping

# The data that would make something known, by code; the report has its words by the same codes.
NEEDS: Mapping[str, str] = {
    "margin": "a margin per order line, or a margin rate",
    "cost_to_serve": "the cost to serve a customer, or a cost per contact",
    "payments": "payments due, failed, recovered and charged back, as interactions",
    "reasons": "reasons of closures, competitor mentions and life events, as interactions",
    "surveys": "answers to surveys (satisfaction or recommendation), as interactions",
    "discounts": "the discount of each order line",
    "channels": "the channel of each order line",
    "categories": "the category of each order line",
    "referrals": "referrals and joint activities, as interactions",
    "campaigns": "campaigns with a treated and a control group, as interactions",
    "cases": "complaints and contacts with a case, and their resolution, as interactions",
    "contacts": "contacts with their direction and channel, as interactions",
    "alternatives": "what else the customer could buy, or the term of a contract",
    "deliveries": "order and delivery dates",
    "identities": "identifying marks of a customer, such as hashed telephone and email",
    "products": "the launch dates of products",
    "history": "a longer history",
    "currency": "the currency of the amounts",
}
