"""Rules at work."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.directory import Binding, Directory, Role
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.policy.policy import Policy
from meshrouter.policy.rule import Rule
from meshrouter.wire.packet import MESHSEC, Packet

PEOPLE = {name: Identity.from_seed(name.encode()[:1] * 32) for name in ("alice", "bob", "phone.bob", "guest")}
TCP, UDP, ICMPV6 = 6, 17, 58
SYN, SYN_ACK, ACK = 2, 18, 16


class Gate:
    def __init__(self, *rules: dict[str, object]) -> None:
        self.env = Env(identity=Identity.from_seed(b"m" * 32), genesis=bytes(32), rng=Random(1))
        self.directory = Directory()
        self.keys = {who.id: who.key for who in PEOPLE.values()}
        self.policy = Policy(self.env, self.directory, [Rule.from_form(rule) for rule in rules], self.keys.get)
        self.directory.on_binding = lambda binding: self.policy.forget()
        for name in ("alice", "bob", "phone.bob"):
            self.bind(name, name)

    def bind(self, who: str, name: str | None, zone: int | None = 0) -> None:
        key = PEOPLE[who].key
        self.directory.binding(key)
        self.directory.told_binding(Binding(key, Role.MEMBER if name else Role.GUEST, name, None, zone))

    def forwards(self, source: str, destination: str, zone: int = 0) -> bool:
        packet = Packet(
            next_header=MESHSEC, source=PEOPLE[source].id, destination=PEOPLE[destination].id, payload=b"x",
            source_zone=zone,
        )  # fmt: skip
        return self.policy.forwards(packet.encode())

    def accepts(self, who: str, protocol: int, content: bytes, now: float = 0.0) -> bool:
        return self.policy.accepts(PEOPLE[who].key, ipv6(PEOPLE[who].address, bytes(16), protocol, content), now)


def ipv6(source: bytes, destination: bytes, protocol: int, content: bytes) -> bytes:
    return (
        bytes((0x60, 0, 0, 0))
        + len(content).to_bytes(2, "big")
        + bytes((protocol, 64))
        + source
        + destination
        + content
    )


def tcp(port: int, flags: int = SYN) -> bytes:
    return (40000).to_bytes(2, "big") + port.to_bytes(2, "big") + bytes(9) + bytes((flags,)) + bytes(6)


def udp(port: int, source: int = 40000) -> bytes:
    return source.to_bytes(2, "big") + port.to_bytes(2, "big") + bytes(4)


def rule(action: str, direction: str = "accept", **rest: object) -> dict[str, object]:
    return {"action": action, "direction": direction, **rest}


def test_nothing_to_ask_without_rules() -> None:
    policy = Gate().policy
    assert not policy.has_forward
    assert not policy.has_accept
    assert Gate(rule("drop")).policy.has_accept
    assert Gate(rule("drop", "forward")).policy.has_forward


def test_the_first_that_fits_decides() -> None:
    gate = Gate(rule("accept", "forward", name="alice"), rule("drop", "forward", name="*"))
    assert gate.forwards("alice", "bob")
    assert gate.forwards("bob", "alice"), "either end"
    assert not gate.forwards("bob", "phone.bob")
    assert gate.forwards("guest", "guest"), "no rule fits who has no name"
    assert [packets for _, packets in gate.policy.counts()] == [2, 1]
    assert gate.env.counters["policy-forward"] == 1


def test_hosts_of_a_name() -> None:
    gate = Gate(rule("drop", "forward", name="*.bob"))
    assert gate.forwards("bob", "alice")
    assert not gate.forwards("phone.bob", "alice")


def test_zones_are_the_ledgers_then_the_packets() -> None:
    gate = Gate(rule("drop", "forward", zone=7))
    assert gate.forwards("alice", "bob", zone=7), "alice's record says 0"
    assert not gate.forwards("guest", "bob", zone=7)
    gate.bind("alice", "alice", zone=7)
    assert not gate.forwards("alice", "bob")


def test_a_rule_takes_hold_when_the_ledger_binds_the_name() -> None:
    gate = Gate(rule("drop", "forward", name="mallory"))
    assert gate.forwards("guest", "bob")
    gate.bind("guest", "mallory")
    assert not gate.forwards("guest", "bob")
    gate.bind("guest", None)
    assert gate.forwards("guest", "bob")


def test_a_rule_takes_hold_when_an_announcement_shows_the_key() -> None:
    gate = Gate(rule("drop", "forward", name="bob"))
    key = gate.keys.pop(PEOPLE["bob"].id)
    assert gate.forwards("bob", "alice"), "who that is nobody knows yet"
    gate.keys[PEOPLE["bob"].id] = key
    assert not gate.forwards("bob", "alice")


def test_ports() -> None:
    gate = Gate(rule("accept", protocol="tcp", port="80-81"), rule("accept", protocol="udp", port=53), rule("drop"))
    assert gate.accepts("bob", TCP, tcp(80))
    assert gate.accepts("bob", TCP, tcp(81))
    assert gate.accepts("bob", UDP, udp(53))
    assert not gate.accepts("bob", TCP, tcp(53))
    assert not gate.accepts("bob", TCP, tcp(82))
    assert not gate.accepts("bob", UDP, udp(80))
    assert not gate.accepts("bob", ICMPV6, bytes((128, 0)))
    assert not gate.accepts("bob", 132, bytes(12))
    assert [packets for _, packets in gate.policy.counts()] == [2, 1, 5]


def test_what_is_open_stays_open() -> None:
    """Answers to what this host began, however strict the rules."""
    gate = Gate(rule("drop"))
    for flags in (SYN_ACK, ACK, 1, 4):
        assert gate.accepts("bob", TCP, tcp(80, flags))
    assert gate.accepts("bob", ICMPV6, bytes((129, 0)))
    assert gate.accepts("bob", ICMPV6, bytes((1, 0))), "errors"
    gate.policy.sent(ipv6(bytes(16), PEOPLE["bob"].address, UDP, udp(53, source=5000)), 10.0)
    answer = udp(5000, source=53)
    assert gate.accepts("bob", UDP, answer, 190.0)
    assert not gate.accepts("bob", UDP, answer, 190.5)
    assert not gate.accepts("alice", UDP, answer, 11.0)
    assert not gate.accepts("bob", UDP, udp(5000, source=54), 11.0)


def test_flows_are_bounded() -> None:
    gate = Gate(rule("drop"))
    for port in range(5000):
        gate.policy.sent(ipv6(bytes(16), PEOPLE["bob"].address, UDP, udp(53, source=port)), 0.0)
    assert not gate.accepts("bob", UDP, udp(903, source=53), 1.0)
    assert gate.accepts("bob", UDP, udp(904, source=53), 1.0)


def test_fragments_and_options_hide_nothing() -> None:
    gate = Gate(rule("drop", protocol="tcp", port=22))
    first = bytes((TCP, 0, 0, 1)) + bytes(4)
    later = bytes((TCP, 0, 0, 9)) + bytes(4)
    options = bytes((44, 1)) + bytes(14)
    assert not gate.accepts("bob", 44, first + tcp(22))
    assert not gate.accepts("bob", 60, options + first + tcp(22))
    assert gate.accepts("bob", 44, first + tcp(23))
    assert gate.accepts("bob", 44, later + tcp(22)), "nothing without its first"
    for short in (first + tcp(22)[:13], first[:7], b""):
        assert not gate.accepts("bob", 44, short)
    assert not gate.accepts("bob", TCP, tcp(22)[:13])
    assert not gate.accepts("bob", 0, bytes(8) * 20), "an endless chain of headers"
    assert gate.env.counters["policy-short"] == 5


@given(st.integers(0, 255), st.binary(max_size=60))
def test_any_packet(protocol: int, content: bytes) -> None:
    gate = Gate(rule("drop", protocol="udp", port=1))
    gate.accepts("bob", protocol, content)
    gate.policy.sent(ipv6(bytes(16), bytes(16), protocol, content), 0.0)


@pytest.mark.parametrize("who", ["bob", "guest"])
def test_a_name_for_this_host(who: str) -> None:
    gate = Gate(rule("accept", name="*"), rule("drop"))
    assert gate.accepts(who, TCP, tcp(80)) == (who == "bob")


def test_only_datagrams_of_ours_open_the_way_for_datagrams() -> None:
    gate = Gate(rule("drop"))
    bob = PEOPLE["bob"].address
    gate.policy.sent(ipv6(bytes(16), bob, TCP, tcp(53)), 0.0)
    gate.policy.sent(ipv6(bytes(16), bob, UDP, udp(53))[:43], 0.0)
    assert not gate.accepts("bob", UDP, udp(40000, source=53))
    gate.policy.sent(ipv6(bytes(16), bob, UDP, udp(53)), 0.0)
    assert gate.accepts("bob", UDP, udp(40000, source=53))
    assert not gate.accepts("bob", TCP, b"\0\x35" + tcp(40000)[2:])


def test_a_datagram_without_ports_and_a_long_chain_of_headers_are_refused() -> None:
    gate = Gate(rule("accept"))
    assert not gate.accepts("bob", UDP, udp(53)[:3])
    chain = bytes(8) * 8 + bytes((TCP,)) + bytes(7)
    assert not gate.accepts("bob", 0, chain + tcp(22))
    assert gate.accepts("bob", 0, chain[-8:] + tcp(22))
    assert gate.env.counters["policy-short"] == 2
