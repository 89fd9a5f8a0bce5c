"""Finding a stamp: a search that is cut into slices, so that it can run anywhere and stop at any time.

Theory of operation
-------------------
``StampSearch`` does no hashing. It hands out slices (a puzzle and a range of nonces), the owner hashes
them with ``search`` on as many workers as it likes, and feeds the outcomes back in any order. A slice
goes to the unsolved puzzle with the fewest slices under way, so workers share a puzzle only when fewer
puzzles than workers are left; what another worker still has under way for a puzzle just solved ends at its
next hash (``run`` asks ``is_open``). A slice that is cut short or never fed loses nothing: nonces are
plentiful and the search has no memory, so the remaining work depends only on how many puzzles are unsolved.

To survive a restart keep ``found`` and ``tried``; ``resume`` takes nonces of an earlier search, or of a
search with fewer bits, and keeps those that still meet the bits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from meshchain.ledger.stamps.bound import mean_hashes, quantile_hashes
from meshchain.ledger.stamps.rules import PUZZLES, Stamp, meets, puzzle, solves

_NONCES = 1 << 64


def search(
    challenge: bytes,
    index: int,
    start: int,
    count: int,
    bits: int,
    memory_kib: int,
    stop: Callable[[], bool],
) -> tuple[int | None, int]:
    """Try the nonces start … start + count - 1 (below 2^64) for puzzle ``index``.

    Returns (nonce or None, hashes made). ``stop`` is asked before every hash.
    """
    fixed = puzzle(challenge, index)
    tried = 0
    for nonce in range(start, min(start + count, _NONCES)):
        if stop():
            break
        tried += 1
        if solves(fixed, nonce, bits, memory_kib):
            return nonce, tried
    return None, tried


@dataclass(frozen=True, slots=True)
class Slice:
    """``count`` nonces of puzzle ``index``, from ``start``."""

    index: int
    start: int
    count: int


@dataclass(slots=True)
class StampSearch:
    """A search for the eight nonces of ``challenge``; ask and feed it from one thread.

    ``start`` is where the nonces begin (0 … 2^64 - 1); give a random one, so that a search begun anew does
    not repeat hashes.
    """

    challenge: bytes
    bits: int
    memory_kib: int
    start: int = 0
    found: list[int | None] = field(default_factory=lambda: [None] * PUZZLES)
    tried: int = 0
    _under_way: list[int] = field(default_factory=lambda: [0] * PUZZLES, repr=False)

    @classmethod
    def resume(
        cls,
        challenge: bytes,
        bits: int,
        memory_kib: int,
        start: int,
        found: Sequence[int | None],
        tried: int = 0,
    ) -> "StampSearch":
        """A search that keeps of ``found`` (8 nonces or None) what meets ``bits``; costs up to 8 hashes."""
        kept = [
            nonce if nonce is not None and meets(challenge, index, nonce, bits, memory_kib) else None
            for index, nonce in enumerate(found)
        ]
        return cls(challenge, bits, memory_kib, start, kept, tried)

    def next_slice(self, count: int) -> Slice | None:
        """Up to ``count`` nonces to try next; None when every puzzle is solved."""
        unsolved = [index for index in range(PUZZLES) if self.is_open(index)]
        if not unsolved:
            return None
        index = min(unsolved, key=self._under_way.__getitem__)
        piece = Slice(index, self.start, min(count, _NONCES - self.start))
        self.start = (self.start + piece.count) % _NONCES
        self._under_way[index] += 1
        return piece

    def run(self, piece: Slice, stop: Callable[[], bool]) -> tuple[int | None, int]:
        """Hash ``piece`` in the calling thread until it is done, its puzzle is solved, or ``stop``."""
        return search(
            self.challenge,
            piece.index,
            piece.start,
            piece.count,
            self.bits,
            self.memory_kib,
            lambda: stop() or not self.is_open(piece.index),
        )

    def feed(self, piece: Slice, nonce: int | None, tried: int) -> None:
        """Take the outcome of a slice; the first nonce of a puzzle counts."""
        self._under_way[piece.index] -= 1
        self.tried += tried
        if nonce is not None and self.is_open(piece.index):
            self.found[piece.index] = nonce

    def is_open(self, index: int) -> bool:
        """Whether puzzle ``index`` is unsolved; safe to ask from a hashing thread."""
        return self.found[index] is None

    @property
    def unsolved(self) -> int:
        return self.found.count(None)

    def stamp(self, anchor_height: int, anchor_hash: bytes) -> Stamp:
        """The finished stamp; ValueError while a puzzle is unsolved."""
        nonces = tuple(nonce for nonce in self.found if nonce is not None)
        if len(nonces) != PUZZLES:
            raise ValueError(f"{self.unsolved} puzzles are unsolved")
        return Stamp(anchor_height, anchor_hash, self.bits, nonces)

    def expected_remaining(self) -> int:
        """Mean number of hashes still to make."""
        return mean_hashes(self.unsolved, self.bits)

    def bound95(self) -> int:
        """In 95 of 100 searches no more than this many hashes are still to make."""
        return quantile_hashes(self.unsolved, self.bits)

    def progress(self) -> float:
        """0 … 1: hashes made over hashes made and still expected; may fall back, as luck has it."""
        total = self.tried + self.expected_remaining()
        return 1.0 if self.unsolved == 0 else self.tried / total
