"""What moves no feature of any listed family, bit for bit, in any world."""

from hypothesis import given
from hypothesis import strategies as st

from tests.features.asked import catalogue, few_worlds
from tests.features.worlds import PEOPLE, futures, pasts
from tests.world import World

chances = st.randoms(use_true_random=False)


@few_worlds
@given(past=pasts(), future=futures(), chance=chances)
def test_what_is_not_known_yet_moves_no_feature(past, future, chance):
    with_future = shuffled(past.also(future), chance)
    assert catalogue().values(with_future) == catalogue().values(past)


@few_worlds
@given(past=pasts(), chance=chances)
def test_the_order_of_the_rows_moves_no_feature(past, chance):
    assert catalogue().values(shuffled(past, chance)) == catalogue().values(past)


@few_worlds
@given(past=pasts(), some=st.sets(st.sampled_from(PEOPLE), min_size=1))
def test_the_events_of_others_move_no_feature_beside_the_same_population(past, some):
    everyone = catalogue().values(past)
    alone = catalogue().values(of_some(past, some), among=past)
    assert alone == {
        family: {who: values for who, values in customers.items() if who in some}
        for family, customers in everyone.items()
    }


def shuffled(world, chance):
    return World(*(tuple(chance.sample(rows, len(rows))) for rows in tables_of(world)))


def of_some(world, some):
    """The rows of some customers alone."""
    return World(
        *(tuple(row for row in rows if row["customer_id"] in some) for rows in tables_of(world))
    )


def tables_of(world):
    return world.customers, world.transactions, world.interactions
