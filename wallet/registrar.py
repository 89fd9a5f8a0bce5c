"""Registering a name: what stands in the ledger and in the node's queue decides what is still to do.

Theory of operation
===================

A registration is two operations: a commit, which reserves the name without showing it, and a reveal, which
shows it ``commit_depth`` blocks later. Both are made at once and put into the node's queue as a pair; the
node stamps, sends, waits and re-sends by itself. The wallet keeps no state machine on disk. Each
``register`` asks where the registration stands, and that is always one of these:

    TAKEN     registered by a key of somebody else, or revoked                → refused
    OWNED     registered by a key of this wallet (living or in grace)         → nothing to do, reported
    QUEUED    the node's queue works on our reveal                            → nothing to do, reported
    COMMITTED our commitment is in the chain, nothing is queued               → queue the reveal
    FREE      none of these                                                   → queue commit and reveal

so interrupting it anywhere, losing the node's datadir or the wallet file, and typing ``register`` twice are
harmless. What makes this possible: the salt and the owner key follow from the seed words and the name, and
``born``, the only other ingredient of a commitment, lies on a coarse grid:

    born of a new registration = life · max(0, ⌊tip / life⌋ − 1)          (life = commit_life, in blocks)

A commitment is forgotten ``life`` blocks after its commit at height c, so c ≥ tip − life; a queue that works
brings a commit into the chain within ``life`` blocks of its making, so born > c − 2·life or so. The grid
heights around tip − 3·life … tip are therefore those that a commitment in the index can have been made with;
there are four of them, and ``name_commitment`` says which is there. (That born is the same for a while also
means that an abandoned attempt is taken up again instead of being refused: a commitment may not be made twice
while it is in the index.)

Consensus asks for 0 ≤ c − born ≤ expiry + grace − life; a wallet's born is never ahead of the tip, and the
parameters' relation expiry + grace ≥ 4·life leaves room for the grid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Commit, Operation
from wallet import drafts
from wallet.derivation import Keyring
from wallet.errors import RefusalError
from wallet.remote import Ledger, Queued, Registered
from wallet.standing import not_owner, revoked


class Stage(Enum):
    OWNED = "registered"
    QUEUED = "in-queue"
    COMMITTED = "resumed"
    FREE = "queued"


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a registration stands. ``born`` is the height to reveal or to commit with."""

    stage: Stage
    born: int
    entry: Registered | None = None
    txids: tuple[str, ...] = ()
    """Operations of it in the node's queue, the reveal last."""


class Registrar:
    """Registrations of the wallet behind ``keys``, of which ``receive`` receiving keys were given out."""

    def __init__(self, ledger: Ledger, keys: Keyring, receive: int) -> None:
        self._ledger = ledger
        self._keys = keys
        self._receive = receive

    def assess(self, name: str) -> Situation:
        """RefusalError: name-taken, name-revoked, name-contested."""
        queue = self._ledger.queue()
        entry = self._ledger.registered(name)
        if entry is not None:
            return self._of_entry(entry)
        commits = {self._commit_txid(name, born): born for born in self._grid()}
        revealed = self._revealable(name)
        reveal = next((item for item in queue if item.working and item.kind == "reveal" and item.name == name), None)
        if reveal is not None:
            return self._of_reveal(name, reveal, queue, commits, revealed)
        if revealed is not None:
            return Situation(Stage.COMMITTED, revealed)
        return Situation(Stage.FREE, self.new_born())

    def drafts(self, name: str, situation: Situation, record: Record) -> list[Operation]:
        """The operations that remain to be queued, signed; none if the registration is owned or in the queue."""
        commit, reveal = drafts.registration(self._keys, name, situation.born, record, self._ledger.genesis)
        if situation.stage is Stage.FREE:
            return [commit, reveal]
        return [reveal] if situation.stage is Stage.COMMITTED else []

    def new_born(self) -> int:
        """The grid height for a registration that begins now."""
        life = self._ledger.params.consensus.commit_life
        return life * max(0, self._ledger.height() // life - 1)

    def _of_entry(self, entry: Registered) -> Situation:
        if not self._keys.owns(entry.name, entry.owner, self._receive):
            raise _taken(entry)
        if entry.status == "revoked":
            raise revoked(entry)
        return Situation(Stage.OWNED, 0, entry)

    def _of_reveal(
        self, name: str, reveal: Queued, queue: list[Queued], commits: dict[str, int], revealed: int | None
    ) -> Situation:
        ours = [item.txid for item in queue if item.txid in commits]
        if revealed is None and not ours:
            raise RefusalError(
                "name-contested",
                f"another wallet of this node is registering {name}.mesh ({reveal.state})",
                name=name,
                txid=reveal.txid,
            )
        return Situation(Stage.QUEUED, 0, txids=(*ours, reveal.txid))

    def _revealable(self, name: str) -> int | None:
        """The born of our unused commitment in the index that lives longest, or None."""
        found = []
        for born in self._grid():
            known = self._ledger.commitment(drafts.commitment(self._keys, name, born, self._ledger.genesis))
            if known is not None and not known.used and known.expires_in > 0:
                found.append((known.expires_in, born))
        return max(found)[1] if found else None

    def _grid(self) -> Iterator[int]:
        life, tip = self._ledger.params.consensus.commit_life, self._ledger.height()
        return (life * step for step in range(max(0, tip // life - 3), tip // life + 1))

    def _commit_txid(self, name: str, born: int) -> str:
        return self._ledger.txid(Commit(commitment=drafts.commitment(self._keys, name, born, self._ledger.genesis)))


def _taken(entry: Registered) -> RefusalError:
    if entry.status == "revoked":
        return RefusalError("name-taken", f"{not_owner(entry).message}; it is revoked", name=entry.name)
    return RefusalError(
        "name-taken",
        f"{entry.name}.mesh is taken: it belongs to {entry.owner.hex()} until block {entry.expires}"
        f" (in {entry.expires_in} blocks), and after that through the grace period unless it is renewed",
        name=entry.name,
        owner=entry.owner.hex(),
        expires=entry.expires,
        expires_in=entry.expires_in,
    )
