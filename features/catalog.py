"""Every family of features, in one visible list; who is known comes first."""

from __future__ import annotations

import hashlib
from datetime import datetime

import ibis

from features.baskets import baskets
from features.breadth import breadth
from features.contact import contact
from features.contact_channel import contact_channel
from features.events import Events
from features.family import Family, Feature
from features.interactions import interactions
from features.intimacy import intimacy
from features.neighbors import neighbors
from features.pace import pace
from features.payment import payment
from features.purchase_channels import purchase_channels
from features.purchases import purchases
from features.relationship import profile_features, relationship
from features.rhythm import rhythm
from features.satisfaction import satisfaction
from features.service import service
from features.track_record import track_record
from features.usage import usage
from features.value import value

FAMILIES: tuple[Family, ...] = (
    relationship,
    rhythm,
    pace,
    purchases,
    baskets,
    value,
    breadth,
    purchase_channels,
    neighbors,
    track_record,
    interactions,
    contact,
    contact_channel,
    intimacy,
    service,
    satisfaction,
    payment,
    usage,
)


_ANY_MOMENT = datetime(2000, 1, 1)


def families_for(events: Events, has_interactions: bool) -> tuple[Family, ...]:
    """The families that this business's data can carry.

    Families of the interactions are left out when none were ever brought in; profile columns are
    added to `relationship` as the customers table has them.
    """
    chosen = []
    for family in FAMILIES:
        if family.source == "interactions" and not has_interactions:
            continue
        if family is relationship:
            family = family.with_features(profile_features(events.customers.schema()))
        chosen.append(family)
    return tuple(chosen)


def schemas(families: tuple[Family, ...], events: Events) -> dict[str, ibis.Schema]:
    """The columns of each family's rows and their types, which are the same at every moment."""
    return {family.name: family.compute(events, _ANY_MOMENT).schema() for family in families}


def every_feature() -> list[tuple[Family, Feature]]:
    """Each listed feature with its family; tests run over this list."""
    return [(family, feature) for family in FAMILIES for feature in family.features]


def rules_only() -> frozenset[str]:
    """The names of the features that rules read and models do not."""
    return frozenset(feature.name for _, feature in every_feature() if not feature.for_models)


def version(families: tuple[Family, ...]) -> str:
    """A short digest of the names and descriptions of all features: the catalogue's version."""
    lines = [
        f"{f.name}.{feature.name}: {feature.about}" for f in families for feature in f.features
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
