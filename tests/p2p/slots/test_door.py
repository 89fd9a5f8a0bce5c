"""How many handshakes strangers may begin."""

from meshchain.p2p.slots import Door
from meshchain.p2p.slots.door import A_HOST, ALL, AT_ONCE, AT_ONCE_A_HOST
from tests.p2p.addresses.crowd import v4, v6

HANDSHAKE = 0.0004
"""CPU-seconds."""


def test_one_host_knocks_a_thousand_times_a_second() -> None:
    door, entered = Door(), 0
    for n in range(60_000):
        if door.knock(v4(66, 6).ip, n / 1000):
            door.entered(v4(66, 6).ip)
            entered += 1
    print(f"one host knocks 60,000 times in 60 s: {entered} handshakes, {entered * HANDSHAKE / 60:.3%} of a core")
    assert entered <= A_HOST.burst + A_HOST.per_second * 60
    assert door.refused == 60_000 - entered
    assert door.knock(v4(10, 1).ip, 60.0)


def test_many_hosts_knock() -> None:
    door, entered = Door(), 0
    for n in range(100_000):
        ip = v4(66, n % 250, n // 250 % 250).ip
        if door.knock(ip, n / 2000):
            door.entered(ip)
            entered += 1
    print(f"62,500 hosts knock 100,000 times in 50 s: {entered} handshakes, {entered * HANDSHAKE / 50:.1%} of a core")
    assert entered <= ALL.burst + ALL.per_second * 50
    assert entered * HANDSHAKE / 50 < 0.11
    assert len(door._hosts) <= 4096


def test_nobody_holds_all_places_before_the_door() -> None:
    door = Door()
    assert sum(door.knock(v6(6, host=1 + n).ip, 0.0) for n in range(50)) == AT_ONCE_A_HOST
    others = sum(door.knock(v4(10, n).ip, 0.0) for n in range(200))
    assert others == AT_ONCE - AT_ONCE_A_HOST
    door.entered(v6(6).ip)
    assert door.knock(v4(11, 1).ip, 0.0)
    assert not door.knock(v4(11, 2).ip, 0.0)
