"""epoll and who is to be called for which file."""

import select
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

Action: TypeAlias = Callable[[float], None]
"""Called with running seconds."""

_MOST_EVENTS: Final = 64


class File(Protocol):
    def fileno(self) -> int: ...


def _nothing(_now: float) -> None:
    """For files that are never watched for writing."""


class Poller:
    """Level-triggered: whoever leaves something unread is called again. A closed file must be forgotten first."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._actions: dict[int, tuple[Action, Action]] = {}
        self._events: dict[int, int] = {}

    def watch(self, file: File, readable: Action, writable: Action = _nothing, *, writing: bool = False) -> None:
        """Call ``readable(now)`` when there is something to read, or the file is broken."""
        number = file.fileno()
        self._actions[number] = readable, writable
        self._events[number] = _mask(writing)
        self._epoll.register(number, self._events[number])

    def want_write(self, file: File, wanted: bool) -> None:
        """Call ``writable`` too, or no longer."""
        number, events = file.fileno(), _mask(wanted)
        if number in self._events and self._events[number] != events:
            self._events[number] = events
            self._epoll.modify(number, events)

    def forget(self, file: File) -> None:
        number = file.fileno()
        if self._actions.pop(number, None) is not None:
            del self._events[number]
            self._epoll.unregister(number)

    def wait(self, seconds: float) -> list[Action]:
        """What is to be done, after at most so long: all that is ready, oldest registration first on one number."""
        actions: list[Action] = []
        for number, events in self._epoll.poll(max(0.0, seconds), _MOST_EVENTS):
            readable, writable = self._actions[number]
            if events & ~select.EPOLLOUT:
                actions.append(readable)
            if events & select.EPOLLOUT:
                actions.append(writable)
        return actions

    def close(self) -> None:
        self._epoll.close()


def _mask(writing: bool) -> int:
    return select.EPOLLIN | (select.EPOLLOUT if writing else 0)
