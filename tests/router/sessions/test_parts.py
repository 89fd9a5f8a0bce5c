"""Tables that strangers fill stay small; queues, labels and claims by themselves."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto.address import node_address
from meshrouter.counters import Counters
from meshrouter.directory import Binding, Directory, Role
from meshrouter.identity import Identity
from meshrouter.sessions.claims import Claim, claim_of
from meshrouter.sessions.endsession import RECENT, EndSession
from meshrouter.sessions.flowlabel import MOST_LABELS, FlowLabels
from meshrouter.sessions.pair import LEARNED_TIME, LEAST_MTU, NO_MTU, Attempt, Pair
from meshrouter.sessions.pending import MOST_BYTES, MOST_PACKETS, WAIT, Pending
from meshrouter.sessions.table import MOST_A_PAIR, MOST_PAIRS, MOST_SESSIONS, MOST_SPENT, MOST_UNPROVEN, Table
from tests.router.offload.packets import Segment

KEYS = bytes(range(32)), bytes(range(32, 64))
OWN = b"\xee\xee" + b"\xff" * 14


class Crowd:
    """A table and others that want into it."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.table = Table(bytes(14), 0, Random(1), self.counters)

    def pair(self, number: int) -> Pair:
        pair = self.table.pair(OWN, b"\xee\xee" + number.to_bytes(14, "big"))
        assert pair is not None
        pair.id = number.to_bytes(14, "big")
        return pair

    def session(self, number: int, *, initiator: bool, now: float = 0.0) -> EndSession:
        pair = self.pair(number)
        index = self.table.new_index()
        session = EndSession(pair, index, index ^ 1, *KEYS, initiator=initiator, now=now)
        self.table.add(session)
        if initiator:
            self.table.send_on(session, 1e9)
        return session

    def check(self) -> None:
        """What one index says, the others say, too."""
        table = self.table
        of_pairs = {one.index for pair in table.pairs.values() for one in pair.sessions}
        assert set(table.by_index) == of_pairs
        assert len(table.by_remote) == len(of_pairs)
        assert set(table.unproven) == {one.index for one in table.by_index.values() if not one.proven}
        current = {pair.addresses: pair.current for pair in table.pairs.values() if pair.current is not None}
        assert table.by_pair == current
        assert all(one.index in table.by_index for one in current.values())


def test_4096_sessions_and_then_the_one_unused_longest_goes() -> None:
    crowd = Crowd()
    sessions = [crowd.session(number, initiator=True, now=float(number)) for number in range(MOST_SESSIONS)]
    assert len(crowd.table.by_index) == MOST_SESSIONS
    sessions[0].used = 1e6
    crowd.session(MOST_SESSIONS, initiator=True, now=5e5)
    assert len(crowd.table.by_index) == MOST_SESSIONS
    assert sessions[0].index in crowd.table.by_index
    assert sessions[1].index not in crowd.table.by_index
    assert crowd.counters == {"end-sessions": 1}
    crowd.check()


def test_unproven_sessions_are_few_and_cost_no_proven_one() -> None:
    crowd = Crowd()
    good = crowd.session(0, initiator=True)
    first = crowd.session(1, initiator=False)
    for number in range(2, MOST_UNPROVEN + 2):
        crowd.session(number, initiator=False)
    assert len(crowd.table.unproven) == MOST_UNPROVEN
    assert good.index in crowd.table.by_index
    assert first.index not in crowd.table.by_index
    assert crowd.counters == {"end-unproven": 1}
    crowd.check()


def test_sessions_of_one_pair_are_four_and_the_current_stays() -> None:
    crowd = Crowd()
    current = crowd.session(1, initiator=True)
    for _ in range(10):
        crowd.session(1, initiator=False)
        assert current.index in crowd.table.by_index
        assert len(crowd.table.by_index) <= MOST_A_PAIR
    assert crowd.table.by_pair[current.pair.addresses] is current
    crowd.check()


def test_of_one_pair_the_oldest_unproven_goes_unless_it_is_the_newcomer() -> None:
    crowd = Crowd()
    first, second, third = (crowd.session(1, initiator=True) for _ in range(3))
    unproven = [crowd.session(1, initiator=False) for _ in range(2)]
    assert list(crowd.table.by_index.values()) == [first, second, third, unproven[1]]
    crowd.table.send_on(first, 1e9)
    crowd.table.send_on(unproven[1], 1e9)
    crowd.table.send_on(first, 1e9)
    newcomer = crowd.session(1, initiator=False)
    assert list(crowd.table.by_index.values()) == [first, third, unproven[1], newcomer]
    crowd.check()


def test_first_messages_that_are_spent_are_bounded_and_the_newest_stays() -> None:
    crowd = Crowd()
    for number in range(MOST_SPENT + 1):
        session = crowd.session(number, initiator=True)
        session.ephemeral = b"%d" % number
        crowd.table.close(session)
    assert [crowd.table.is_spent(b"%d" % number) for number in (0, 1, MOST_SPENT)] == [False, True, True]
    unproven = crowd.session(1, initiator=False)
    unproven.ephemeral = b"never heard of again"
    crowd.table.close(unproven)
    assert not crowd.table.is_spent(unproven.ephemeral)


def test_an_index_is_nobody_elses_and_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd()
    used = crowd.session(1, initiator=True)
    given = iter((0, used.index, 5, 7))
    monkeypatch.setattr(crowd.table._rng, "getrandbits", lambda _bits: next(given))
    assert crowd.table.new_index({5: crowd.pair(2)}) == 7


def test_a_pair_with_a_handshake_under_way_is_not_forgotten() -> None:
    crowd = Crowd()
    pair = crowd.pair(1)
    pair.attempt = Attempt(0.0, 0.0)
    crowd.table.sweep(1.0)
    assert crowd.table.pairs == {pair.addresses: pair}
    pair.attempt = None
    crowd.table.sweep(1.0)
    assert crowd.table.pairs == {}


def test_what_was_learnt_of_a_holder_goes_with_it() -> None:
    crowd = Crowd()
    pair = crowd.session(1, initiator=True).pair
    pair.learn_mtu(1300, 0.0)
    pair.told_mtu = 1350
    pair.learn_no_trains(0.0)
    crowd.table.close_all(pair)
    assert (pair.mtu(0.0), pair.split_until, pair.key, pair.id) == (NO_MTU, 0.0, b"", b"")


def test_pairs_are_bounded_and_idle_ones_make_room() -> None:
    crowd = Crowd()
    for number in range(MOST_PAIRS):
        crowd.pair(number).pending.add(b"x", None, 0.0)
    assert crowd.table.pair(OWN, OWN) is None
    assert crowd.counters == {"end-pairs": 1}
    crowd.pair(7).pending.take()
    assert crowd.table.pair(OWN, OWN) is not None
    assert len(crowd.table.pairs) == MOST_PAIRS


@pytest.mark.parametrize("seed", range(20))
def test_the_table_agrees_with_itself(seed: int) -> None:
    crowd, rng, now = Crowd(), Random(seed), 0.0
    for _ in range(150):
        now += rng.uniform(0, 5)
        live = list(crowd.table.by_index.values())
        what = rng.randrange(6)
        if what <= 1:
            crowd.session(rng.randrange(5), initiator=bool(what), now=now)
        elif what == 2 and live:
            crowd.table.send_on(rng.choice(live), now + 100)
        elif what == 3 and live:
            crowd.table.close(rng.choice(live))
        elif what == 4 and live and rng.random() < 0.2:
            crowd.table.close_all(rng.choice(live).pair)
        else:
            crowd.table.sweep(now)
        crowd.check()
    crowd.table.sweep(now + 1000)
    assert not crowd.table.by_index
    assert not crowd.table.pairs


@given(st.lists(st.tuples(st.integers(1, 20_000), st.floats(0, 1)), max_size=30))
def test_pending_against_the_obvious(packets: list[tuple[int, float]]) -> None:
    pending, model, now = Pending(), list[tuple[int, float]](), 0.0
    for size, wait in packets:
        now += wait
        late = [one for one in model if one[1] <= now]
        assert [len(packet) for packet in pending.late(now)] == [one[0] for one in late]
        model = model[len(late) :]
        room = len(model) < MOST_PACKETS and sum(one[0] for one in model) + size <= MOST_BYTES
        assert pending.add(bytes(size), None, now) is (room or not model)
        if room or not model:
            model.append((size, now + WAIT))
        assert pending.held == sum(one[0] for one in model)
        assert pending.deadline == model[0][1]
    assert [len(waiting.packet) for waiting in pending.take()] == [one[0] for one in model]
    assert (pending.held, len(pending), pending.deadline) == (0, 0, float("inf"))


def test_labels_are_bounded_and_stay_the_same() -> None:
    labels = FlowLabels(bytes(32), bytes(32))
    packets = [Segment(ports=(number, 80)).packet() for number in range(2 * MOST_LABELS)]
    first = [labels.of(packet) for packet in packets]
    assert len(labels._labels) <= MOST_LABELS
    assert [labels.of(packet) for packet in packets] == first
    assert all(0 <= label < 2**20 for label in first)
    assert FlowLabels(bytes(31) + b"\1", bytes(32)).of(packets[0]) != first[0]
    assert FlowLabels(bytes(32), bytes(31) + b"\1").of(packets[0]) != first[0]


def test_claims() -> None:
    directory = Directory()
    key, other = (Identity.from_seed(bytes(31) + bytes((number,))).key for number in (1, 2))
    claimed = b"\xee\xee" + bytes(13) + b"\5"
    own = node_address(key)
    assert own is not None
    assert claim_of(directory, key, own) is Claim.HELD
    assert claim_of(directory, other, own) is Claim.NOT_HELD
    assert claim_of(directory, key, claimed) is Claim.UNKNOWN
    directory.told_holder(claimed, key)
    assert claim_of(directory, key, claimed) is Claim.HELD
    assert claim_of(directory, other, claimed) is Claim.NOT_HELD
    directory.told_holder(claimed, None)
    assert claim_of(directory, key, claimed) is Claim.NOT_HELD
    directory.told_binding(Binding(key, Role.BARRED))
    assert claim_of(directory, key, own) is Claim.NOT_HELD


def test_path_mtu() -> None:
    pair = Crowd().pair(1)
    assert pair.mtu(0.0) == 0xFFFF
    pair.told_mtu = 1472
    assert pair.learn_mtu(1400, 0.0)
    assert not pair.learn_mtu(1401, 0.0)
    assert pair.mtu(LEARNED_TIME - 1) == 1400
    assert pair.mtu(LEARNED_TIME) == 1472
    assert pair.learn_mtu(1, 0.0)
    assert pair.learned_mtu == pair.mtu(0.0) == LEAST_MTU


@given(st.integers(0, 2**34), st.integers(-3, 2 * RECENT))
def test_which_counters_were_sent(counter: int, back: int) -> None:
    """Without remembering any."""
    session = Crowd().session(1, initiator=True)
    session.sealer.counter = counter
    asked = counter - back
    expected = asked if 0 <= asked < counter and asked >= counter - 1 - RECENT else None
    assert session.sent(asked & 0xFFFFFFFF) == expected
