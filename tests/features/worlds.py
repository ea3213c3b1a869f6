"""Small random worlds for property tests: all columns, and times on the edges of every window."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from features.events import INTERACTION_KINDS
from features.family import WINDOWS
from tests.world import Row, World

AS_OF = datetime(2024, 3, 31, 12)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)

PEOPLE = ("ann", "007", "Bob  Smith", "zoë", "顾客 7", "o'hara")
NEWCOMERS = ("eve", "dan")

# Both sides of each window and of the one before it, of a year ago, and of a day's end in UTC.
_EDGES = [
    age + side
    for age in [days * DAY * times for days in WINDOWS for times in (1, 2)] + [timedelta(hours=12)]
    for side in (-MICROSECOND, timedelta(0), MICROSECOND)
]
_LEAP_DAY = AS_OF - datetime(2024, 2, 29, 23, 30)
_LONGEST = 1200 * DAY
ages = st.one_of(
    st.sampled_from([timedelta(0), MICROSECOND, _LEAP_DAY, *_EDGES]),
    st.timedeltas(timedelta(0), _LONGEST),
)
later = st.one_of(st.just(MICROSECOND), st.timedeltas(MICROSECOND, 400 * DAY))

# To the sixth place, where money is rounded; from a millionth to nearly a billion.
money = st.one_of(
    st.sampled_from([0.0, 1e-6, 0.01, 19.99, 1e6 / 3, 999_999_999.999999]),
    st.floats(0.01, 1000).map(lambda value: round(value, 2)),
)
_amounts = st.one_of(money, money, money, money.map(lambda value: -value))


def _one_of(*values: object) -> st.SearchStrategy:
    """One of a few values, or nothing."""
    return st.sampled_from([None, *values])


def _purchases(people: st.SearchStrategy, times: st.SearchStrategy) -> st.SearchStrategy[Row]:
    columns = st.fixed_dictionaries(
        {
            "customer_id": people,
            "amount": _amounts,
            "order_id": _one_of("o1", "o2", "o3"),
            "quantity": _one_of(1.0, 2.5, 12.0),
            "product_id": _one_of("tea", "cup", "pot", "thé vert"),
            "category": _one_of("food", "home"),
            "channel": _one_of("web", "shop", "phone"),
            "discount": st.one_of(st.none(), money),
            "margin": st.one_of(st.none(), _amounts),
        }
    )
    return st.builds(dict.__or__, columns, times)


def _contacts(people: st.SearchStrategy, times: st.SearchStrategy) -> st.SearchStrategy[Row]:
    columns = st.fixed_dictionaries(
        {
            "customer_id": people,
            "kind": st.sampled_from(INTERACTION_KINDS),
            "channel": _one_of("web", "phone", "letter", "face_to_face"),
            "direction": _one_of("in", "out"),
            "value": _one_of(0.0, 1.0, 4.0, 7.5, 30.0),
            "case_id": _one_of("c1", "c2"),
            "detail": _one_of("price", "late"),
        }
    )
    return st.builds(dict.__or__, columns, times)


def _at(happened_at: datetime, known_at: datetime) -> Row:
    return {"happened_at": happened_at, "known_at": known_at}


# Known at once, late, or early as an appointment is; all by the moment.
_known_in_time = st.builds(
    lambda age, delay: _at(AS_OF - age, min(AS_OF - age + delay, AS_OF)),
    ages,
    st.sampled_from([timedelta(0), MICROSECOND, DAY, 40 * DAY, -DAY]),
)
_happens_later = st.builds(
    lambda wait, notice: _at(AS_OF + wait, AS_OF + wait - notice),
    later,
    st.sampled_from([timedelta(0), DAY, 500 * DAY]),
)
_known_later = st.builds(lambda age, wait: _at(AS_OF - age, AS_OF + wait), ages, later)
_unknown = st.one_of(_happens_later, _known_later)


@st.composite
def pasts(draw: st.DrawFn) -> World:
    """A world of which everything is known at AS_OF, its customers' rows included."""
    people = st.sampled_from(PEOPLE)
    listed = draw(st.lists(people, unique=True))
    # A few times again and again: what stands at the same time must be told apart by more.
    times = st.sampled_from(draw(st.lists(_known_in_time, min_size=1, max_size=12)))
    return World(
        customers=tuple(
            {
                "customer_id": customer,
                "first_seen_at": draw(st.one_of(st.none(), ages.map(lambda age: AS_OF - age))),
                "kind": draw(_one_of("person", "organisation")),
                "is_internal": draw(st.sampled_from([None, False, False, True])),
            }
            for customer in listed
        ),
        transactions=tuple(draw(st.lists(_purchases(people, times), max_size=30))),
        interactions=tuple(draw(st.lists(_contacts(people, times), max_size=30))),
    )


@st.composite
def futures(draw: st.DrawFn) -> World:
    """Rows that had not happened or were not known at AS_OF, some of them twice."""
    people = st.sampled_from(PEOPLE + NEWCOMERS)
    purchases = draw(st.lists(_purchases(people, _unknown), min_size=1, max_size=10))
    contacts = draw(st.lists(_contacts(people, _unknown), min_size=1, max_size=10))
    copies = draw(st.integers(1, 2))
    return World(
        customers=tuple(
            {"customer_id": customer, "first_seen_at": AS_OF + draw(later), "kind": "person"}
            for customer in draw(st.lists(st.sampled_from(NEWCOMERS), unique=True))
        ),
        transactions=tuple(purchases * copies),
        interactions=tuple(contacts * copies),
    )
