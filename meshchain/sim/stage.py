"""What every simulated world stands on: one clock, one sequence of events, one account of what happened."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain as chained
from typing import Final

from meshchain.ledger.params import Params
from meshchain.sim import params as small_params
from meshchain.sim.costs import Costs, MemoWorkers
from meshchain.sim.heap import Event, Heap

_EPOCH_AFTER_GENESIS: Final = 3600.0
_CHECK_EVERY: Final = 0.5
"""Virtual seconds between two looks at the condition of ``run_until``."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling: when (virtual s), who, what."""

    time: float
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.time:12.3f} {self.who:8} {self.what}"


class Stage:
    """``seed``: of all chance."""

    def __init__(self, seed: int, params: Params | None = None, costs: Costs | None = None) -> None:
        self.seed = seed
        self.params = params or small_params.small()
        self.costs = costs or Costs()
        self.heap = Heap()
        self.workers = MemoWorkers()
        self.epoch = self.params.consensus.genesis_time + _EPOCH_AFTER_GENESIS
        self.log: list[Note] = []
        self._hash = blake2b(digest_size=16)

    @property
    def now(self) -> float:
        return self.heap.now

    # --- time ----------------------------------------------------------------------------------------------

    def at(self, time: float, action: Callable[[], None]) -> Event:
        """Plan something for a virtual time."""
        return self.heap.at(time, action)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.heap.step(end):
            pass

    def run_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """Run until the condition holds (True) or ``limit`` seconds have passed (False)."""
        end = self.now + limit
        while not condition():
            if self.now >= end:
                return False
            self.run(min(_CHECK_EVERY, end - self.now))
        return True

    # --- looking -------------------------------------------------------------------------------------------

    def note(self, who: str, what: str) -> None:
        """Write something down; it becomes a part of the fingerprint."""
        note = Note(self.now, who, what)
        self.log.append(note)
        self._hash.update(f"{note.time!r} {who} {what}\n".encode())

    def witness(self, who: str, peer: int, data: bytes) -> None:
        """Bytes have arrived; they become a part of the fingerprint."""
        self._hash.update(f"{self.now!r} {who} {peer} {len(data)}\n".encode() + data)

    @property
    def fingerprint(self) -> str:
        """Of everything that has happened."""
        return self._hash.hexdigest()

    def story(self, last: int = 60) -> str:
        """The end of the log, for a failing test's message."""
        head = f"seed {self.seed}, {self.now:.1f} s, {self.heap.steps} events, fingerprint {self.fingerprint}"
        return "\n".join(chained([head], map(str, self.log[-last:])))
