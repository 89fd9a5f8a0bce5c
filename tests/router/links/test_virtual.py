"""The links that simulations and other tests stand on."""

from meshrouter.batch import BATCH
from meshrouter.links.link import EVERYBODY
from meshrouter.links.virtual import MOST_WAITING, Bus, VirtualLink, wire


def test_bus_broadcast_reaches_all_but_the_sender() -> None:
    bus = Bus()
    first, second, third = bus.attach(1), bus.attach(1), bus.attach(7)
    first.send(EVERYBODY, b"hello")
    first.flush()
    assert first.receive() == []
    assert second.receive() == [(first.address, b"hello")]
    assert third.receive() == [(first.address, b"hello")]
    assert first.outbox == []


def test_bus_unicast_reaches_one_and_keeps_the_order() -> None:
    bus = Bus()
    first, second, third = bus.attach(1), bus.attach(1), bus.attach(1)
    second.send_many(third.address, [b"a", b"b"])
    second.send(b"nobody", b"c")
    second.send(second.address, b"d")
    second.flush()
    assert third.receive() == [(second.address, b"a"), (second.address, b"b")]
    assert first.receive() == second.receive() == []


def test_wire_has_one_peer_at_each_end() -> None:
    left, right = wire(1, 2)
    left.send(EVERYBODY, b"x")
    left.flush()
    right.send(EVERYBODY, b"y")
    right.flush()
    assert right.receive() == [(EVERYBODY, b"x")]
    assert left.receive() == [(EVERYBODY, b"y")]
    assert not left.shared


def test_frames_above_the_mtu_are_lost() -> None:
    left, right = wire(1, 2, mtu=100)
    left.send_many(EVERYBODY, [bytes(100), bytes(101)])
    left.flush()
    assert right.receive() == [(EVERYBODY, bytes(100))]


def test_a_link_that_is_down_neither_sends_nor_hears() -> None:
    left, right = wire(1, 2)
    right.up = False
    left.send(EVERYBODY, b"x")
    left.flush()
    right.send(EVERYBODY, b"y")
    right.flush()
    assert left.receive() == right.receive() == []


def test_a_detached_link_is_gone() -> None:
    bus = Bus()
    first, second = bus.attach(1), bus.attach(2)
    bus.detach(second)
    first.send(second.address, b"x")
    first.send(EVERYBODY, b"x")
    first.flush()
    assert not second.inbox
    assert bus.attach(3).address not in (first.address, second.address)


def test_receive_gives_a_batch_at_most_and_the_inbox_is_bounded() -> None:
    left, right = wire(1, 2)
    left.send_many(EVERYBODY, [bytes([number % 251]) for number in range(MOST_WAITING + 3)])
    left.flush()
    assert right.lost == 3
    assert [frame[0] for _, frame in right.receive()] == list(range(BATCH))
    assert len(right.inbox) == MOST_WAITING - BATCH


def test_carry_decides_when_a_frame_arrives() -> None:
    later: list[tuple[VirtualLink, bytes, bytes]] = []
    left, right = wire(1, 2, carry=lambda link, source, frame: later.append((link, source, frame)))
    left.send(EVERYBODY, b"x")
    left.flush()
    assert right.receive() == []
    for link, source, frame in later:
        link.arrive(source, frame)
    assert right.receive() == [(EVERYBODY, b"x")]
