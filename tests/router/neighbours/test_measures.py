"""The parts that only compute: timers, HELLO numbers, cost, and doubt."""

from math import inf
from random import Random

import pytest

from meshrouter.links.link import Link, Medium
from meshrouter.neighbours.metric import HYSTERESIS, cost_of, etx, rtt_cost, steady
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.neighbours.pulse import Pulse
from meshrouter.neighbours.session import LinkSession
from meshrouter.neighbours.timers import Timers
from meshrouter.neighbours.watch import Watch, probes_for
from meshrouter.wire.control import Hello

# --- timers ----------------------------------------------------------------------------------------------------


def test_timers_run_in_order_once_and_can_be_moved_and_stopped() -> None:
    timers, ran = Timers(), []
    for name, due in (("c", 3.0), ("a", 1.0), ("b", 1.0), ("moved", 1.0), ("stopped", 2.0)):
        timers.at(name, due, lambda now, name=name: ran.append((name, now)))  # type: ignore[misc]
    timers.at("moved", 2.5, lambda now: ran.append(("moved", now)))
    timers.stop("stopped")
    timers.stop("never set")
    assert timers.next() == 1.0
    timers.run(2.7)
    assert ran == [("a", 2.7), ("b", 2.7), ("moved", 2.7)]
    assert timers.next() == 3.0
    timers.run(3.0)
    assert timers.next() == inf


def test_a_timer_that_sets_itself_for_the_past_does_not_run_for_ever() -> None:
    timers, ran = Timers(), []

    def again(now: float) -> None:
        ran.append(now)
        timers.at("again", now - 1, again)

    timers.at("again", 0.0, again)
    timers.run(5.0)
    assert ran == [5.0]
    assert timers.next() == 4.0
    timers.run(6.0)
    assert ran == [5.0, 6.0]


def test_timers_against_a_list() -> None:
    rng, timers = Random(7), Timers()
    model: dict[int, float] = {}
    ran: list[int] = []
    for _ in range(2000):
        name, due = rng.randrange(20), rng.random() * 10
        if rng.random() < 0.3:
            timers.stop(name)
            model.pop(name, None)
        else:
            timers.at(name, due, lambda _now, name=name: ran.append(name))  # type: ignore[misc]
            model[name] = due
        assert timers.next() == min(model.values(), default=inf)
        if rng.random() < 0.1:
            now = rng.random() * 10
            expected = sorted((name for name in model if model[name] <= now), key=lambda name: model[name])
            ran.clear()
            timers.run(now)
            assert ran == expected
            model = {name: due for name, due in model.items() if due > now}


# --- cost ------------------------------------------------------------------------------------------------------


def test_a_healthy_wire_costs_what_babel_says() -> None:
    assert cost_of(wired=True, forth=1.0, back=1.0, rtt=0.001) == 96
    assert cost_of(wired=False, forth=1.0, back=1.0, rtt=None) == 256


def test_loss_in_either_direction_counts() -> None:
    assert etx(0.5, 1.0) == etx(1.0, 0.5) == 2.0
    assert cost_of(wired=True, forth=0.7, back=0.7, rtt=None) == round(96 / 0.49)
    assert cost_of(wired=False, forth=0.0, back=0.0, rtt=9.0) == 65_534


def test_a_long_way_costs_up_to_one_hop() -> None:
    assert [rtt_cost(rtt) for rtt in (None, 0.0, 0.01, 0.065, 0.12, 3.0)] == [0, 0, 0, pytest.approx(48), 96, 96]


def test_small_changes_are_kept_quiet() -> None:
    assert [steady(100, now) for now in (81, 100, 119)] == [100] * 3
    assert [steady(100, now) for now in (80, 120, 500)] == [80, 120, 500]
    assert HYSTERESIS == 0.2


# --- HELLOs ----------------------------------------------------------------------------------------------------


def beat(pulse: Pulse, now: float) -> Hello:
    return pulse.beat(now, mtu=1500, queue=0, flags=0, digest=(0, 0))


@pytest.mark.parametrize("offset", [0.0, 4294.0, 1e6])
def test_the_round_trip_is_what_the_way_takes_whatever_the_clocks_say(offset: float) -> None:
    a, b = Pulse(), Pulse()
    b.heard(beat(a, 10.0), 10.02 + offset)
    a.heard(beat(b, 11.5 + offset), 11.53)
    assert a.rtt == pytest.approx(0.05, abs=1e-5)
    assert b.rtt is None


def test_round_trips_are_smoothed() -> None:
    a, b, now = Pulse(), Pulse(), 0.0
    for way in (0.01, 0.01, 0.11):
        b.heard(beat(a, now), now + way)
        a.heard(beat(b, now + way), now + 2 * way)
        now += 4.0
    assert a.rtt == pytest.approx(0.836 * 0.02 + 0.164 * 0.22, abs=1e-5)


def test_a_false_echo_is_no_round_trip() -> None:
    pulse = Pulse()
    beat(pulse, 100.0)
    pulse.heard(Hello(seq=0, sent=1, echo=5, held=0, mtu=1500), 101.0)
    assert pulse.rtt is None


@pytest.mark.parametrize("seed", range(20))
def test_the_share_that_arrives_is_that_of_the_last_sixteen(seed: int) -> None:
    rng, sender, receiver = Random(seed), Pulse(), Pulse()
    came: list[bool] = [True] * 16
    for i in range(70_000 if seed == 0 else 100):
        hello = beat(sender, i * 4.0)
        arrives = i == 0 or rng.random() < 0.7
        came.append(arrives)
        if arrives:
            receiver.heard(hello, i * 4.0)
            assert receiver.back == sum(came[-16:]) / 16
    assert beat(receiver, 0.0).received == round(receiver.back * 65535)


def test_late_ones_count_and_repeated_ones_do_not() -> None:
    sender, receiver = Pulse(), Pulse()
    hellos = [beat(sender, float(i)) for i in range(20)]
    for i in (0, 1, 4, 4, 3, 3, 2, 19, 18, 18):
        receiver.heard(hellos[i], 20.0)
    assert receiver.back == (16 - 13) / 16 == 3 / 16


def test_who_begins_anew_is_not_taken_for_losing_everything() -> None:
    receiver = Pulse()
    for seq in (*range(500, 540), 0, 1, 2, 30_000, 30_001):
        receiver.heard(Hello(seq=seq, sent=1, mtu=1500), 0.0)
        assert receiver.back == 1.0


# --- doubt -------------------------------------------------------------------------------------------------------


def neighbour() -> Neighbour:
    link = Link(number=1, name="x", medium=Medium.VIRTUAL, mtu=1500, shared=True)
    session = LinkSession(1, 2, bytes(32), bytes(32))
    return Neighbour(key=b"", id=b"", link=link, link_address=b"", since=0.0, session=session)


def verdicts(watch: Watch, of: Neighbour, until: float) -> list[tuple[float, bool]]:
    """What it says, asked whenever it wants to be."""
    said: list[tuple[float, bool]] = []
    while (due := watch.due(of)) <= until and (not said or said[-1][1]):
        verdict = watch.check(of, due)
        assert verdict is not None
        said.append((round(due, 3), verdict))
    return said


def test_silence_under_traffic_is_death_after_three_probes() -> None:
    watch, other = Watch(), neighbour()
    other.heard, other.sent = 10.0, 10.5
    assert watch.due(other) == 11.5
    assert watch.check(other, 11.4) is None
    other.sent = 11.3  # more data does not put it off
    assert verdicts(watch, other, 20.0) == [(11.5, True), (11.7, True), (11.9, True), (12.1, False)]


def test_silence_before_the_traffic_does_not_count() -> None:
    watch, other = Watch(), neighbour()
    other.heard = 10.0
    assert watch.due(other) == pytest.approx(21.4)
    other.sent = 13.9
    assert watch.due(other) == 14.9


def test_an_idle_neighbour_has_twelve_seconds() -> None:
    watch, other = Watch(), neighbour()
    other.heard = 10.0
    assert verdicts(watch, other, 30.0)[-1] == (22.0, False)


def test_a_word_ends_all_doubt() -> None:
    watch, other = Watch(), neighbour()
    other.heard, other.sent = 10.0, 10.5
    watch.due(other)
    assert watch.check(other, 11.5)
    assert watch.check(other, 11.7)
    other.heard = 11.8
    assert watch.check(other, 11.9) is None
    assert watch.probes == 0
    assert watch.due(other) == pytest.approx(11.8 + 11.4)


def test_the_more_is_lost_the_more_must_fail() -> None:
    assert [probes_for(loss) for loss in (0.0, 0.01, 0.2, 0.51, 0.9, 1.0)] == [3, 3, 5, 11, 12, 12]
    for loss in (0.05, 0.3, 0.5):
        assert loss ** probes_for(loss) <= 0.001
