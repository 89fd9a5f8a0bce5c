"""Peers that are wanted for what they are, chosen by the operator or next to us on the mesh: when to try each one next,
and as which key it answered."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from meshchain.p2p.actions import Endpoint

FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 60.0
"""Also how long a connection must have lasted for its end to be an accident."""
LAST_RETRY_OF_KNOWN: Final = 10.0
"""The same for a peer that was there once in this run: it is likely back as soon as the network is."""


@dataclass(slots=True)
class _Wanted:
    wait: float = FIRST_RETRY
    longest: float = LAST_RETRY
    due: float = 0.0
    key: bytes | None = None


class Configured:
    """Times are running seconds."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._wanted = {endpoint: _Wanted() for endpoint in endpoints}

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, endpoint: Endpoint) -> bool:
        return endpoint in self._wanted

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(self._wanted)

    def add(self, endpoint: Endpoint) -> None:
        self._wanted.setdefault(endpoint, _Wanted())

    def replace(self, endpoints: Mapping[Endpoint, bytes]) -> None:
        """Want these and no others; each with the key that will answer. Who stays keeps its times."""
        before = self._wanted
        self._wanted = {
            endpoint: kept if (kept := before.get(endpoint)) is not None and kept.key == key else _Wanted(key=key)
            for endpoint, key in endpoints.items()
        }

    def due(self, now: float) -> Iterator[tuple[Endpoint, bytes | None]]:
        """Those that may be tried now, with the key that they had the last time."""
        for endpoint, wanted in self._wanted.items():
            if now >= wanted.due:
                yield endpoint, wanted.key

    def is_key(self, key: bytes) -> bool:
        """Whether one of them has answered as ``key``."""
        return any(wanted.key == key for wanted in self._wanted.values())

    def answered(self, endpoint: Endpoint, key: bytes) -> None:
        """Whoever listens there has proven its key."""
        if endpoint in self._wanted:
            self._wanted[endpoint].key = key

    def ended(self, endpoint: Endpoint, now: float, lasted: float = 0.0) -> None:
        """The connection, ready for ``lasted`` seconds, or an attempt at one is over: try again after 1 s, 2 s, … 60 s.

        … 10 s, if it was ever ready.
        """
        wanted = self._wanted.get(endpoint)
        if wanted is None:
            return
        if lasted:
            wanted.longest = LAST_RETRY_OF_KNOWN
        wait = FIRST_RETRY if lasted >= LAST_RETRY else min(wanted.wait, wanted.longest)
        wanted.due, wanted.wait = now + wait, min(2 * wait, LAST_RETRY)
