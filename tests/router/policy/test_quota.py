"""What is forwarded for guests."""

from meshrouter.counters import Counters
from meshrouter.policy.quota import GuestQuotas


def guest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def full() -> tuple[GuestQuotas, Counters]:
    """Sixteen guests, come one by one; the time is 32."""
    counters = Counters()
    quotas = GuestQuotas(counters)
    assert all(quotas.take(guest(number), 100, 2.0 * number) for number in range(16))
    return quotas, counters


def test_one_new_guest_in_two_seconds() -> None:
    quotas = GuestQuotas(Counters())
    taken = [quotas.take(guest(number), 1, now) for number, now in enumerate((0.0, 0.5, 1.9, 2.0, 2.1))]
    assert taken == [True, False, False, True, False]


def test_sixteen_guests_and_idle_ones_make_room() -> None:
    quotas, counters = full()
    assert not quotas.take(guest(16), 1, 40.0)
    assert counters["guest-places"] == 1
    assert quotas.take(guest(0), 1, 50.0), "who is in stays in"
    assert not quotas.take(guest(16), 1, 61.9)
    assert quotas.take(guest(16), 1, 62.0), "guest 1 has been idle for 60 s"
    assert len(quotas) == 16
    assert not quotas.take(guest(17), 1, 62.1)


def test_64_kilobits_a_second_each() -> None:
    quotas, counters = full()
    sent = [0, 0]
    for step in range(1000):
        for number in range(2):
            sent[number] += quotas.take(guest(number), 1000, 40.0 + step * 0.01) * 1000
    assert sent == [95_000, 95_000], "16 kB saved up, then 8 kB/s for 9.99 s, in whole packets"
    assert counters["guest-quota"] == 2000 - 190


def test_members_leave() -> None:
    quotas, _ = full()
    quotas.forget(guest(3))
    assert len(quotas) == 15
    assert quotas.take(guest(16), 1, 40.0)
