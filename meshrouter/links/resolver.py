"""Host names of links, looked up beside the loop: a name server may take seconds, and packets do not wait for it.

Each lookup is a short-lived thread that sits in getaddrinfo (which holds no interpreter lock) and writes its answer to
a pipe. At most MOST_AT_ONCE of them; names with digits only never get here, since they are addresses.
"""

import os
import queue
import socket
import threading
from collections.abc import Callable
from typing import Final, TypeAlias

from meshrouter.links.ip import SockAddress

MOST_AT_ONCE: Final = 8

Answer: TypeAlias = Callable[[list[SockAddress], float], None]
"""(addresses in the order of preference, empty if there are none, running seconds)."""


class Resolver:
    """``resolve`` asks; ``receive`` (when the file is readable) hands the answers to those who asked."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._answers: queue.SimpleQueue[tuple[Answer, list[SockAddress]]] = queue.SimpleQueue()
        self._under_way = 0

    def fileno(self) -> int:
        return self._read

    def resolve(self, host: str, port: int, kind: int, answer: Answer, now: float) -> None:
        """``kind``: SOCK_DGRAM or SOCK_STREAM. Numeric hosts are answered at once, and so is one too many (by none)."""
        numeric = addresses(host, port, kind, socket.AI_NUMERICHOST)
        if numeric or self._under_way >= MOST_AT_ONCE:
            answer(numeric, now)
            return
        self._under_way += 1
        threading.Thread(target=self._look_up, args=(host, port, kind, answer), daemon=True).start()

    def receive(self, now: float) -> None:
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            return
        while not self._answers.empty():
            answer, found = self._answers.get_nowait()
            self._under_way -= 1
            answer(found, now)

    def close(self) -> None:
        """A lookup under way ends unheard."""
        os.close(self._read)

    def _look_up(self, host: str, port: int, kind: int, answer: Answer) -> None:
        self._answers.put((answer, addresses(host, port, kind)))
        try:
            os.write(self._write, b"\0")
        except (BlockingIOError, BrokenPipeError):
            return  # full: there are wake-ups enough in it. Broken: nobody waits any more


def addresses(host: str, port: int, kind: int, flags: int = 0) -> list[SockAddress]:
    """Without what does not exist: an empty list."""
    try:
        found = socket.getaddrinfo(host, port, type=kind, flags=flags)
    except (OSError, UnicodeError):
        return []
    return [where for family, _, _, _, where in found if family in (socket.AF_INET, socket.AF_INET6)]  # type: ignore[misc]
