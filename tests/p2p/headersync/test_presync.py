"""The measuring of one branch, by itself."""

import random

import pytest

from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.p2p.headersync.presync import LOOKAHEAD, MOST_HEADERS, Presync
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts
from tests.p2p.mining import mine_headers, start

PARAMS = small_params()
CHAIN = mine_headers(PARAMS, [120] * 1000)


def presync(needed: int, seed: int = 1) -> Presync:
    return Presync(PARAMS.consensus, LabFacts(Lab(PARAMS)), start(PARAMS), needed, random.Random(seed))


def test_a_sample_of_one_in_eight_where_no_header_carries_much() -> None:
    drawn = [len(presync(10**6, seed).measure(CHAIN)) for seed in range(20)]
    assert 100 < sum(drawn) / 20 < 150
    assert len(set(drawn)) > 5, "the draw does not depend on the generator"


def test_every_header_is_hashed_where_each_is_more_than_a_sixty_fourth() -> None:
    assert presync(100).measure(CHAIN[:50]) == CHAIN[:50]


def test_a_bit_a_header_and_nothing_else() -> None:
    one = presync(10**6)
    for at in range(0, 1000, 100):
        one.measure(CHAIN[at : at + 100])
        assert (one.count, one.size) == (at + 100, -(-(at + 100) // 8))
        assert not one.enough


def test_bits_depend_on_a_secret() -> None:
    """Else an attacker would look for other headers with the same bits in peace."""
    one, other = presync(10**6, 1), presync(10**6, 2)
    one.measure(CHAIN)
    other.measure(CHAIN)
    assert one._bits != other._bits


def test_second_pass_lets_through_what_sixty_four_headers_above_confirm() -> None:
    one = presync(2000)
    one.measure(CHAIN)
    assert one.enough
    one.begin_fetch()
    assert one.fetch(CHAIN[:50]) == []
    assert one.fetch(CHAIN[50:200]) == CHAIN[: 200 - LOOKAHEAD]
    assert one.size == 1000 // 8 + 124 * LOOKAHEAD
    assert one.fetch(CHAIN[200:999]) == CHAIN[200 - LOOKAHEAD : 999 - LOOKAHEAD]
    assert not one.done
    assert one.fetch(CHAIN[999:]) == CHAIN[999 - LOOKAHEAD :]
    assert one.done


@pytest.mark.parametrize("at", [0, 100, 500])
def test_other_headers_never_get_through(at: int) -> None:
    """From ``at`` on it is another branch: of its headers none is let through."""
    other = CHAIN[:at] + mine_headers(PARAMS, [120] * (1000 - at), above=CHAIN[:at], seed=9)
    one = presync(2000)
    one.measure(CHAIN)
    one.begin_fetch()
    through: list[Header] = []
    with pytest.raises(RuleError) as caught:
        fetch_singly(one, other, through)
    assert caught.value.code == "headers-changed"
    assert through == CHAIN[: len(through)]
    assert len(through) <= at


def fetch_singly(one: Presync, headers: list[Header], through: list[Header]) -> None:
    for header in headers:
        through += one.fetch([header])


def test_no_branch_is_measured_for_ever() -> None:
    one = presync(10**9)
    one._count = MOST_HEADERS - 10
    with pytest.raises(RuleError) as caught:
        one.measure(CHAIN[:11])
    assert caught.value.code == "presync-too-long"
