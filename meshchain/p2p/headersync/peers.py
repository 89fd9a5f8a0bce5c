"""What header sync keeps of a peer. Nothing in it grows with what the peer sends but ``presync``, which is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meshchain.ledger.header import Header
from meshchain.p2p.actions import Peer
from meshchain.p2p.headersync.presync import Presync

FIRST_DELAY: Final = 5.0
LAST_DELAY: Final = 120.0


@dataclass(frozen=True, slots=True)
class Question:
    """A GetHeaders that is out."""

    at: float
    work: int
    """Of the block from which it asks on: with an empty answer the peer says that it has no more than this."""
    locator: tuple[bytes, ...]

    def is_answered_by(self, headers: Sequence[Header], genesis: bytes) -> bool:
        """An answer goes on from the locator, or from genesis where nothing of it is known, or is empty. What does
        neither is an announcement that crossed the question on its way."""
        return not headers or headers[0].previous in (*self.locator, genesis)


@dataclass(frozen=True, slots=True)
class Batch:
    """Headers of the peer that the ledger works on."""

    headers: Sequence[Header]
    full: bool
    """As many as a message holds: there may be more."""
    answer: bool
    """To a question of ours; otherwise an announcement."""


@dataclass(frozen=True, slots=True)
class Late:
    """The peer has had less work than ``mark``, our tip's, for a while. At ``until`` it is asked, then dropped."""

    mark: int
    until: float
    asked: bool


@dataclass(slots=True)
class PeerState:
    peer: Peer
    inbound: bool
    claimed_work: int
    """What its Version says."""
    claimed_height: int
    claim_open: bool = True
    """Its headers have neither met nor refuted the claim yet."""
    probed: bool = False
    """Has been asked for its headers once, or is not worth it."""
    question: Question | None = None
    batch: Batch | None = None
    presync: Presync | None = None
    announced: bytes | None = None
    """Id of a header that came while there was something else to do."""
    ask_after: float = 0.0
    """Not to be asked before: its last branch had too little work."""
    retry_at: float | None = None
    delay: float = FIRST_DELAY
    strays: int = 0
    """Announcements in a row that led to nothing."""
    late: Late | None = None

    @property
    def free(self) -> bool:
        return self.question is None and self.batch is None

    def retry(self, now: float) -> None:
        """Ask again later, at doubling distances."""
        self.retry_at = now + self.delay
        self.delay = min(2 * self.delay, LAST_DELAY)

    def progress(self) -> None:
        self.strays, self.delay, self.retry_at = 0, FIRST_DELAY, None

    def claims_over(self, work: int) -> bool:
        return self.claim_open and self.claimed_work > work

    def refuted(self, work: int) -> bool:
        """Whether the peer has claimed more than ``work``, which is all it has; settles the claim."""
        lied = self.claims_over(work)
        self.claim_open = False
        return lied
