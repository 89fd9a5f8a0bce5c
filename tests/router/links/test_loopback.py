"""Links that need no root: UDP and TCP over the loopback interface."""

import errno
import socket

import pytest

from meshrouter.counters import Counters
from meshrouter.links.datagrams import Datagrams
from meshrouter.links.driven import MOST_WAITING
from meshrouter.links.link import EVERYBODY, Cars
from meshrouter.links.specs import Kind, LinkSpec
from meshrouter.links.udp_peer import UdpPeer
from meshrouter.wire.train import coupled
from tests.router.links.kernel import Host, until
from tests.waiting import free_port

BEACON, SOLICIT, PACKET = b"\x21", b"\x22", b"\x29"
"""First bytes of frames of these types."""

SO_NO_CHECK = 11


def everybody_on_lo(port: int) -> LinkSpec:
    return LinkSpec(kind=Kind.UDP_INTERFACE, name="udp:lo", interface="lo", port=port)


def frames(host: Host) -> list[bytes]:
    return [frame for _, _, frame in host.heard]


def udp_pair() -> tuple[Host, Host]:
    port = free_port(socket.SOCK_DGRAM)
    listening = Host(LinkSpec(kind=Kind.UDP_LISTEN, name="listen", host="127.0.0.1", port=port))
    calling = Host(LinkSpec(kind=Kind.UDP_PEER, name="peer", host="127.0.0.1", port=port))
    return listening, calling


def tcp_pair() -> tuple[Host, Host]:
    port = free_port(socket.SOCK_STREAM)
    listening = Host(LinkSpec(kind=Kind.TCP_LISTEN, name="listen", host="127.0.0.1", port=port))
    calling = Host(LinkSpec(kind=Kind.TCP_PEER, name="peer", host="localhost", port=port))
    return listening, calling


def test_three_nodes_of_one_host_hear_each_other_and_answer_to_the_sender_alone() -> None:
    spec = everybody_on_lo(free_port(socket.SOCK_DGRAM))
    with Host(spec) as first, Host(spec) as second, Host(spec) as third:
        hosts = first, second, third
        first.send(EVERYBODY, BEACON + b"who")
        until(lambda: bool(second.heard and third.heard), *hosts)
        assert first.heard == []
        sender = second.heard[0][1]
        assert third.heard[0][1] == sender
        assert second.link.underlay(sender) == ("127.0.0.1", int.from_bytes(sender[4:], "big"))
        second.send(sender, PACKET + b"me")
        until(lambda: bool(first.heard), *hosts)
        assert frames(first) == [PACKET + b"me"]
        assert len(third.heard) == 1


def test_what_is_sealed_does_not_come_in_by_the_groups_port() -> None:
    spec = everybody_on_lo(free_port(socket.SOCK_DGRAM))
    with Host(spec) as first, Host(spec) as second:
        first.send(EVERYBODY, PACKET + b"no", SOLICIT + b"yes")
        until(lambda: bool(second.heard), first, second)
        assert frames(second) == [SOLICIT + b"yes"]
        assert second.counters["link-group-type"] == 1


def test_own_ports_are_taken_one_after_another() -> None:
    port = free_port(socket.SOCK_DGRAM)
    spec = everybody_on_lo(port)
    with Host(spec) as first, Host(spec) as second:
        ports = [int.from_bytes(host.link.address[-2:], "big") for host in (first, second)]  # type: ignore[attr-defined]
        assert port < ports[0] < ports[1] <= port + 64


def test_runs_of_equal_frames_arrive_whole_and_in_order() -> None:
    listening, calling = udp_pair()
    with listening, calling:
        sent = [PACKET + bytes([number]) * 1399 for number in range(150)] + [PACKET + b"short", PACKET + bytes(900)]
        calling.send(EVERYBODY, *sent)
        until(lambda: len(listening.heard) == len(sent), listening, calling)
        assert frames(listening) == sent


def test_a_device_that_cannot_segment_gets_them_one_by_one() -> None:
    listening, calling = udp_pair()
    with listening, calling:
        datagrams = calling.link._datagrams  # type: ignore[attr-defined]
        datagrams.socket.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)  # the kernel then refuses all runs
        sent = [PACKET + bytes([number]) * 99 for number in range(250)]
        calling.send(EVERYBODY, *sent)
        until(lambda: len(listening.heard) == len(sent), listening, calling)
        assert frames(listening) == sent
        assert not datagrams.segments
        assert calling.counters["link-no-segments"] == 3


def cars(number: int, size: int, last: int) -> list[bytes]:
    return [b"\x2a" + bytes([place]) * ((last if place == number - 1 else size) - 1) for place in range(number)]


def as_train(each: list[bytes]) -> Cars:
    return Cars(b"".join(each), len(each[0]))


@pytest.mark.parametrize("segments", [True, False])
@pytest.mark.parametrize("train", [cars(45, 1400, 77), cars(45, 1472, 300), cars(45, 1456, 1456), cars(1, 60_000, 9)])
def test_trains_arrive_whole_also_those_too_large_for_one_call(train: list[bytes], segments: bool) -> None:
    listening, calling = udp_pair()
    with listening, calling:
        calling.link._datagrams.segments = segments  # type: ignore[attr-defined]
        calling.link.send_train(EVERYBODY, as_train(train))
        calling.link.send(EVERYBODY, PACKET)
        until(lambda: PACKET in frames(listening), listening, calling)
        assert b"".join(frames(listening)) == b"".join(train) + PACKET
        assert not calling.counters


def test_what_waits_is_counted_in_frames_whether_alone_or_in_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    listening, calling = udp_pair()
    with listening, calling:
        monkeypatch.setattr(calling.link, "_put", refuse)
        for _ in range(MOST_WAITING // 45 + 5):
            calling.link.send_train(EVERYBODY, as_train(cars(45, 1400, 1400)))
        calling.link.flush()
        assert len(calling.link.outbox) == MOST_WAITING // 45
        assert calling.counters["link-queue"] == 5
        assert calling.link.stuck


def refuse(_start: int) -> int:
    raise BlockingIOError(errno.EAGAIN, "full")


def test_a_listener_answers_who_asked_once() -> None:
    listening, calling = udp_pair()
    with listening, calling:
        calling.send(EVERYBODY, SOLICIT)
        until(lambda: bool(listening.heard), listening, calling)
        listening.send(EVERYBODY, BEACON + b"1")
        listening.send(EVERYBODY, BEACON + b"2")
        listening.send(listening.heard[0][1], PACKET)
        until(lambda: len(calling.heard) == 2, listening, calling)
        assert frames(calling) == [BEACON + b"1", PACKET]


def test_a_frame_too_long_costs_a_counter_and_the_next_one_goes() -> None:
    listening, calling = udp_pair()
    with listening, calling:
        calling.send(EVERYBODY, bytes(66_000), PACKET)
        until(lambda: bool(listening.heard), listening, calling)
        assert frames(listening) == [PACKET]
        assert calling.counters["link-send-EMSGSIZE"] == 1


@pytest.mark.parametrize("address", [b"x", bytes(6), bytes.fromhex("ffffffff0bbb"), bytes.fromhex("e00000010bbb")])
def test_addresses_that_are_no_hosts_are_not_sent_to(address: bytes) -> None:
    spec = LinkSpec(kind=Kind.UDP_LISTEN, name="listen", host="127.0.0.1")
    with Host(spec) as host:
        host.send(address, PACKET)
        assert host.counters["link-send-EINVAL"] == 1
        assert host.link.outbox == []


def test_a_peer_inside_the_mesh_is_refused() -> None:
    spec = LinkSpec(kind=Kind.UDP_PEER, name="udp:[eeee::1]:3003", host="eeee::1", port=3003)
    with Host(spec) as host:
        assert host.links.links == []
        assert "address of the mesh itself" in host.links.troubles[spec.name]


def test_a_taken_port_is_said_and_tried_again() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        spec = LinkSpec(kind=Kind.UDP_LISTEN, name="listen", host="127.0.0.1", port=taken.getsockname()[1])
        host = Host(spec)
        assert "cannot listen there" in host.links.troubles["listen"]
    with host:
        host.links.tick(host.links.deadline())
        assert host.link.name == "listen"
        assert host.links.troubles == {}


def test_stream_frames_of_all_sizes_arrive_both_ways() -> None:
    listening, calling = tcp_pair()
    with listening, calling:
        until(lambda: bool(calling.links.links and listening.links.links), listening, calling)
        sent = [bytes(size) for size in (0, 1, 2, 1500, 65_535)] * 3
        calling.send(EVERYBODY, *sent)
        listening.send(EVERYBODY, b"back")
        until(lambda: len(listening.heard) == len(sent) and bool(calling.heard), listening, calling)
        assert frames(listening) == sent
        assert frames(calling) == [b"back"]


def test_a_full_stream_keeps_a_bounded_outbox_and_never_half_a_frame() -> None:
    listening, calling = tcp_pair()
    with listening, calling:
        until(lambda: bool(calling.links.links and listening.links.links), listening, calling)
        for number in range(8000):
            calling.link.send(EVERYBODY, number.to_bytes(4, "big") * 1000)
            calling.link.flush()
        assert calling.link.stuck
        assert len(calling.link.outbox) <= MOST_WAITING
        lost = calling.counters["link-queue"]
        assert lost > 0
        until(lambda: len(listening.heard) == 8000 - lost, listening, calling)
        until(lambda: not calling.link.stuck, listening, calling)
        numbers = [int.from_bytes(frame[:4], "big") for frame in frames(listening)]
        assert numbers == sorted(set(numbers))
        assert all(frame == frame[:4] * 1000 for frame in frames(listening))


def test_a_stream_that_ends_is_dialled_again() -> None:
    listening, calling = tcp_pair()
    with listening, calling:
        until(lambda: bool(calling.links.links and listening.links.links), listening, calling)
        first = calling.link
        listening.link.sockets()[0].shutdown(socket.SHUT_RDWR)
        until(lambda: calling.removed == [first] and bool(listening.removed), listening, calling)
        until(lambda: bool(calling.links.links and listening.links.links), listening, calling)
        assert calling.link.number > first.number
        listening.send(EVERYBODY, b"again")
        until(lambda: frames(calling) == [b"again"], listening, calling)


def test_a_listener_takes_a_bounded_number_from_one_address() -> None:
    listening, calling = tcp_pair()
    port = next(iter(listening.links._listeners.values())).port
    with listening, calling:
        strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        until(lambda: listening.counters["link-connections"] >= 4, listening)
        assert len(listening.links.links) == 8
        for each in strangers:
            each.close()
        until(lambda: len(listening.links.links) <= 1, listening, calling)


def test_an_unknown_host_is_said() -> None:
    spec = LinkSpec(kind=Kind.UDP_PEER, name="udp:nowhere.invalid:1", host="nowhere.invalid", port=1)
    with Host(spec) as host:
        until(lambda: "no such host" in host.links.troubles.get(spec.name, ""), host)


@pytest.mark.parametrize("segments", [True, False])
def test_a_train_crosses_in_one_piece_or_in_many(segments: bool) -> None:
    listening, calling = udp_pair()
    with listening, calling:
        calling.send(EVERYBODY, SOLICIT)
        until(lambda: bool(listening.heard), listening, calling)
        assert isinstance(calling.link, UdpPeer)
        calling.link._datagrams.segments = segments
        train = a_train(40, 1400, b"end")
        calling.link.send_train(EVERYBODY, as_train(train))
        calling.link.flush()
        until(lambda: frames(listening)[-1].endswith(b"end"), listening, calling)
        assert b"".join(frames(listening)[1:]) == b"".join(train)
        assert (len(frames(listening)) == 2) is segments, "the kernel has put them together"


def test_one_reading_takes_no_more_than_a_cache_holds_and_the_next_one_the_rest() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        here.setblocking(False)
        here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        there.setblocking(False)
        sent = 0
        while sent < 12:
            try:
                here.send(bytes(30_000))
            except BlockingIOError:
                break
            sent += 1
        reader = Datagrams(there, Counters())
        assert sent > 9, "there is more than one reading"
        assert [len(reader.receive()) for _ in range(3)] == [9, sent - 9, 0]


def test_a_refusal_by_the_other_kernel_costs_a_counter_and_the_socket_stays_good() -> None:
    port = free_port(socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as calling:
        calling.connect(("127.0.0.1", port))
        calling.setblocking(False)
        calling.send(b"is anybody there?")
        datagrams = Datagrams(calling, Counters())
        assert datagrams.receive() == []
        assert datagrams._counters == {"link-receive-ECONNREFUSED": 1}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
            listening.bind(("127.0.0.1", port))
            listening.sendto(b"now there is", calling.getsockname())
            assert [data for _, data in datagrams.receive()] == [b"now there is"]


def test_a_train_that_has_begun_to_leave_does_not_wait_and_one_that_has_not_does() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        here.setblocking(False)
        datagrams = Datagrams(here, Counters())
        datagrams.segments = False
        outbox: list[tuple[bytes, bytes | Cars]]
        outbox = [(EVERYBODY, Cars(coupled(bytes(45_000), 1000, 7, number), 1012)) for number in range(10)]
        begun = left_until_full(datagrams, outbox)
        there.setblocking(False)
        reader = Datagrams(there, Counters())
        arrived = sum(len(got) for got in iter(reader.receive, []))
        assert 0 < begun < len(outbox), "the next one waits"
        assert arrived + datagrams._counters["link-train-cut"] == 45 * begun


def left_until_full(datagrams: Datagrams, outbox: list[tuple[bytes, bytes | Cars]]) -> int:
    for number in range(len(outbox)):
        try:
            datagrams.send(outbox, number, lambda _: None)
        except BlockingIOError:
            return number
    return len(outbox)


def a_train(full: int, size: int, rest: bytes) -> list[bytes]:
    """Frames as they are on the wire: ``full`` of them with ``size`` bytes each, and one more."""
    return Cars(coupled(bytes(full * size) + rest, size, 7, 0), 12 + size).frames()


@pytest.mark.parametrize("spoiled", [0, 2, 7])
def test_what_a_stranger_puts_among_the_frames_of_a_train_leaves_them_frames(spoiled: int) -> None:
    """The kernel puts together what came from one address, and that is easily forged."""
    listening, calling = udp_pair()
    train = a_train(5, 1000, b"end")
    train[3] = train[3][:spoiled] + b"\xff" + train[3][spoiled + 1 :]
    with listening, calling:
        calling.send(EVERYBODY, SOLICIT)
        until(lambda: bool(listening.heard), listening, calling)
        calling.link.send_train(EVERYBODY, as_train(train))
        calling.link.flush()
        until(lambda: frames(listening)[-1].endswith(b"end"), listening, calling)
        assert (frames(listening)[1:] == train) is (spoiled != 2)
        assert b"".join(frames(listening)[1:]) == b"".join(train)
