"""Sessions are renewed, lost on one side, begun by both at once, and no packet is lost for it."""

from collections import Counter
from random import Random

import pytest

from meshrouter.handshake import MOST_MESSAGES
from meshrouter.sessions.endsession import EndSession
from meshrouter.sessions.table import LIFETIME
from meshrouter.wire.ends import END_INIT
from meshrouter.wire.packet import MESHCTL, MESHHS, MESHSEC, SOURCE
from tests.router.offload.packets import read
from tests.router.sessions.world import Host, World, between, handshakes, sealed


def session(source: Host, target: Host) -> EndSession:
    """What the one sends to the other on."""
    return source.sessions.by_pair[source.address + target.address]


def numbers(host: Host) -> list[int]:
    """Sequence numbers of the segments that came."""
    return [read(packet).sequence for packet in host.got()]


def flow(world: World, source: Host, target: Host, seconds: float, every: float = 0.5) -> list[int]:
    """A packet every half second; the sequence numbers that came."""
    came = []
    for number in range(int(seconds / every)):
        source.send(between(source, target, sequence=number))
        world.run(every)
        came += numbers(target)
    world.run(1.0)
    return came + numbers(target)


def test_the_initiator_renews_after_two_minutes() -> None:
    world = World("a", "b")
    a, b = world.connected()
    first = session(a, b)
    assert flow(world, a, b, 119.0 - 2.0) == list(range(234))
    assert handshakes(world.carried) == []
    assert flow(world, a, b, 20.0) == list(range(40))
    assert handshakes(world.carried) == [1, 2]
    assert session(a, b) is not first
    assert session(b, a).index == session(a, b).sealer.index


def test_the_initiator_renews_though_it_only_receives() -> None:
    world = World("a", "b")
    a, b = world.connected()
    assert flow(world, b, a, 130.0) == list(range(260))
    inits = [packet[SOURCE] for packet in world.carried if packet[6] == MESHHS and packet[40] == END_INIT]
    assert inits == [a.id]
    assert session(a, b).initiator


def test_the_responder_renews_if_the_initiator_does_not() -> None:
    world = World("a", "b")
    a, b = world.connected()
    deaf = [True]
    world.rules.append(lambda packet: [] if deaf[0] and packet[6] == MESHHS and packet[SOURCE] == a.id else [packet])
    assert flow(world, b, a, 145.0) == list(range(290))
    assert session(b, a).initiator is False
    deaf[0] = False
    a.sessions._handshakes.give_up(session(a, b).pair)
    session(a, b).due = float("inf")
    assert flow(world, b, a, 15.0) == list(range(30))
    assert session(b, a).initiator is True


def test_a_new_session_is_shown_at_once_though_there_is_nothing_to_say() -> None:
    world = World("a", "b")
    a, b = world.connected()
    first = session(b, a)
    a.sessions._handshakes.begin(session(a, b).pair, world.now)
    world.run(0.1)
    assert session(b, a) is not first
    assert session(b, a).index == session(a, b).sealer.index
    assert b.got() == []
    assert len(sealed(world.carried)) == 1


def test_an_old_session_is_kept_while_the_other_side_may_send_on_it() -> None:
    """However silent it is: who sends there may know of no other."""
    world = World("a", "b")
    a, b = world.connected()
    old = session(a, b)
    world.run(10.0)
    a.sessions._handshakes.begin(old.pair, world.now)
    for _ in range(4):
        world.run(70.0)
        b.sessions.meshsec(old.seal(b"\x3a\x80" + bytes(7), 6 << 28, 33, 64), world.now)
        assert len(b.got()) == 1
    world.run(20.0)
    b.sessions.meshsec(old.seal(b"\x3a\x80" + bytes(7), 6 << 28, 33, 64), world.now)
    assert b.got() == [], "it is 300 s old"


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_one_way_after_both_have_begun(seed: int) -> None:
    world = World("a", "b", seed=seed)
    a, b = world["a"], world["b"]
    a.send(between(a, b, sequence=0))
    b.send(between(b, a, sequence=0))
    world.run(1.0)
    assert (numbers(a), numbers(b)) == ([0], [0])
    came = []
    for number in range(1, 7):
        world.run(45.0)
        a.send(between(a, b, sequence=number))
        world.run(0.5)
        came += numbers(b)
    assert came == list(range(1, 7))


@pytest.mark.parametrize("receiver", [False, True])
def test_after_two_to_the_thirty_packets(receiver: bool) -> None:
    world = World("a", "b")
    a, b = world.connected()
    first = session(a, b)
    if receiver:
        first.opener.window.greatest = MOST_MESSAGES
    else:
        first.sealer.counter = MOST_MESSAGES
    assert flow(world, a, b, 7.0) == list(range(14))
    assert session(a, b) is not first
    assert session(a, b).sealer.counter < 20


def test_an_idle_session_is_not_renewed_and_ends() -> None:
    world = World("a", "b")
    a, b = world.connected()
    world.run(LIFETIME + 10.0)
    assert world.carried == []
    assert not a.sessions.by_index
    assert not a.sessions.table.pairs
    assert not a.sessions.table.by_remote
    assert a.sessions.deadline() == b.sessions.deadline() == float("inf")
    assert flow(world, a, b, 1.0) == [0, 1]


def test_a_packet_after_a_long_sleep_waits_for_a_new_session() -> None:
    """A clock that jumps (the machine was suspended): what is too old is not sent on, and nothing is lost."""
    world = World("a", "b")
    a, b = world.connected()
    world.now += LIFETIME
    assert flow(world, a, b, 1.0) == [0, 1]
    assert handshakes(world.carried) == [1, 2]


def test_a_renewal_without_an_answer_goes_on_with_the_old() -> None:
    world = World("a", "b")
    a, b = world.connected()
    world.rules.append(lambda packet: [] if packet[6] == MESHHS else [packet])
    assert flow(world, a, b, 250.0) == list(range(500))
    assert 30 < len(handshakes(world.carried)) < 160  # both try, six times in ten seconds


@pytest.mark.parametrize("seed", range(8))
def test_no_packet_is_lost_in_renewal_however_they_overtake_each_other(seed: int) -> None:
    """Delays of 0 … 200 ms: packets of the old and the new session, and the handshake's, come in any order."""
    world = World("a", "b", seed=seed)
    a, b = world.connected()
    world.delay = lambda: world.rng.uniform(0, 0.2)
    came: dict[Host, list[int]] = {a: [], b: []}
    for number in range(130 * 5):
        for source, target in ((a, b), (b, a)):
            source.send(between(source, target, sequence=number))
        world.run(0.2)
        for host in (a, b):
            came[host] += numbers(host)
    world.run(1.0)
    for host in (a, b):
        assert sorted(came[host] + numbers(host)) == list(range(130 * 5))
    assert handshakes(world.carried).count(2) >= 1
    assert session(a, b).index == session(b, a).sealer.index


class TestBothAtOnce:
    @pytest.mark.parametrize("seed", range(10))
    def test_two_sessions_become_one(self, seed: int) -> None:
        world = World("a", "b", seed=seed)
        a, b = world["a"], world["b"]
        world.delay = lambda: world.rng.uniform(0.01, 0.1)
        a.send(between(a, b, sequence=1))
        b.send(between(b, a, sequence=1))
        world.run(1.0)
        assert numbers(a) == numbers(b) == [1]
        assert sorted(handshakes(world.carried)[:2]) == [1, 1]
        for number in range(6):
            a.send(between(a, b, sequence=number))
            b.send(between(b, a, sequence=number))
            world.run(0.2)
        assert numbers(a) == numbers(b) == list(range(6))
        assert session(a, b).index == session(b, a).sealer.index
        assert session(b, a).index == session(a, b).sealer.index

    def test_neither_gives_up_its_own(self) -> None:
        """Only one's answers come through, either one's."""
        for lost in ("a", "b"):
            world = World("a", "b")
            a, b = world["a"], world["b"]
            loser = world[lost].id
            world.rules.append(
                lambda packet, loser=loser: (
                    []  # type: ignore[misc]
                    if packet[6] == MESHHS and packet[40] == 2 and packet[SOURCE] == loser
                    else [packet]
                )
            )
            a.send(between(a, b, sequence=1))
            b.send(between(b, a, sequence=1))
            world.run(1.0)
            assert numbers(a) == numbers(b) == [1]

    @pytest.mark.parametrize("silent", [False, True])
    def test_an_unheard_first_packet_of_a_new_session_is_said_again(self, silent: bool) -> None:
        """One-way traffic: the responder goes on on the old session until it is shown the new one."""
        world = World("a", "b")
        a, b = world.connected()
        session(a, b).due = world.now
        dropped: list[bytes] = []

        def lose_the_first_of_the_new(packet: bytes) -> list[bytes]:
            new = packet[6] == MESHSEC and packet[SOURCE] == a.id and packet[44:48] == bytes(4)
            if new and (silent or not dropped):
                dropped.append(packet)
                return []
            return [packet]

        world.rules.append(lose_the_first_of_the_new)
        assert flow(world, b, a, 10.0) == list(range(20))
        assert (session(a, b).index == session(b, a).sealer.index) or silent
        assert session(a, b).sealer.counter >= 2


class TestRestart:
    def test_the_receiver(self) -> None:
        """What is on its way is lost, a round trip later all goes on."""
        world = World("a", "b")
        a, b = world.connected()
        b.start()
        came = flow(world, a, b, 3.0, every=0.05)
        assert came == list(range(came[0], 60))
        assert came[0] <= 3
        assert [packet[6] for packet in world.carried if packet[SOURCE] == b.id][:1] == [MESHCTL]

    def test_the_sender(self) -> None:
        world = World("a", "b")
        a, b = world.connected()
        a.start()
        assert flow(world, a, b, 3.0) == list(range(6))
        assert flow(world, b, a, 3.0) == list(range(6))
        assert handshakes(world.carried) == [1, 2]

    def test_both(self) -> None:
        world = World("a", "b")
        a, b = world.connected()
        a.start()
        b.start()
        assert flow(world, a, b, 3.0) == list(range(6))

    def test_in_a_loop(self) -> None:
        """Every two seconds: the sender asks again at most every five."""
        world = World("a", "b")
        a, b = world.connected()
        came = 0
        for _ in range(15):
            b.start()
            came += len(flow(world, a, b, 1.0, every=0.1))
        assert handshakes(world.carried).count(1) <= 12
        assert came >= 30


@pytest.mark.parametrize("seed", range(6))
def test_loss_reordering_and_repetition(seed: int) -> None:
    """30 % each, four minutes, both ways: whatever of a session arrives is delivered, once, unless it was forged."""
    world = World("a", "b", seed=seed)
    a, b = world["a"], world["b"]
    rng = Random(seed)

    def chaos(packet: bytes) -> list[bytes]:
        fate = rng.random()
        if fate < 0.3:
            return []
        copies = [packet, packet] if fate < 0.6 else [packet]
        return copies if fate < 0.9 else [*copies, packet[:50] + bytes((packet[50] ^ 1,)) + packet[51:]]

    world.rules.append(chaos)
    world.delay = lambda: rng.choice((0.02, 0.02, rng.uniform(0, 0.5)))
    came: dict[Host, Counter[int]] = {a: Counter(), b: Counter()}
    count = 240 * 4
    for number in range(count):
        for source, target in ((a, b), (b, a)):
            source.send(between(source, target, sequence=number))
        world.run(0.25)
        for host in (a, b):
            came[host].update(numbers(host))
    for host in (a, b):
        assert max(came[host].values()) == 1
        assert sum(came[host].values()) > 0.6 * count
        assert len(host.sessions.by_index) <= 4
    assert len(sealed(world.carried)) > 1.9 * count
