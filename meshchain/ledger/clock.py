"""Time as the owner of a ledger sees it: passed in, so that a simulation's is virtual."""

from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Unix time in seconds, as the machine believes it."""

    def running(self) -> float:
        """Seconds that only move forward, at one second a second; from an arbitrary start."""

    def synchronised(self) -> bool:
        """Whether the kernel calls its wall clock synchronised."""
