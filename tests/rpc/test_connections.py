"""The clock of a connection, on a time that the test moves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from meshchain.rpc.connections import IdleClock

IDLE_S = 30.0


@dataclass
class Timer:
    when: float
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Hours:
    """Time and its timers."""

    now: float = 1000.0
    timers: list[Timer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object], /) -> asyncio.TimerHandle:
        self.timers.append(Timer(when, callback))
        return cast("asyncio.TimerHandle", self.timers[-1])

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.when <= end and not timer.cancelled]:
            first = min(due, key=lambda timer: timer.when)
            self.timers.remove(first)
            self.now = first.when
            first.callback()
        self.now = end


class Connection:
    def __init__(self) -> None:
        self.hours = Hours()
        self.aborted: list[float] = []
        self.clock = IdleClock(IDLE_S, lambda: self.aborted.append(self.hours.now), self.hours)


@pytest.fixture
def connection() -> Connection:
    return Connection()


def test_an_idle_connection_is_aborted_when_its_time_is_up(connection: Connection) -> None:
    connection.clock.wind()
    connection.hours.pass_by(10 * IDLE_S)
    assert connection.aborted == [1000.0 + IDLE_S]


def test_a_connection_that_is_used_again_and_again_is_not(connection: Connection) -> None:
    connection.clock.wind()
    for _ in range(10):
        connection.hours.pass_by(0.9 * IDLE_S)
        connection.clock.halt()
        connection.clock.wind()
    assert not connection.aborted
    last = connection.hours.now
    connection.hours.pass_by(10 * IDLE_S)
    assert connection.aborted == [last + IDLE_S]


def test_a_handler_may_take_as_long_as_it_likes(connection: Connection) -> None:
    connection.clock.wind()
    connection.clock.halt()
    connection.hours.pass_by(10 * IDLE_S)
    assert not connection.aborted
    connection.clock.wind()
    connection.hours.pass_by(10 * IDLE_S)
    assert connection.aborted == [1000.0 + 11 * IDLE_S]


def test_one_timer_serves_any_number_of_requests(connection: Connection) -> None:
    connection.clock.wind()
    for _ in range(100):
        connection.clock.halt()
        connection.clock.wind()
    assert len(connection.hours.timers) == 1


def test_nothing_is_left_of_a_connection_that_has_ended(connection: Connection) -> None:
    connection.clock.wind()
    connection.clock.end()
    connection.clock.wind()  # its handler ends later than it
    connection.hours.pass_by(10 * IDLE_S)
    assert not connection.aborted
    assert all(timer.cancelled for timer in connection.hours.timers)
