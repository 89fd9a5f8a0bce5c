"""What can be known of drafts before they are queued: shape, names, signatures, owner, seq, life, room.

An operation is tried on the state of the next block as the operations queued before it will leave it. What passes
can still lose to a rival, but not for a reason that was there when its owner could have been told.
"""

from dataclasses import replace
from typing import Final

from meshchain.crypto import verify_ecdsa
from meshchain.ledger import operations, rules
from meshchain.ledger.entry import REG_SIZE, NameEntry
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Revoke, Transfer, Update
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Item
from meshchain.ledger.queue.judging.reveal import born_range
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.queue.turns import RANK, turn
from meshchain.ledger.record import primary_key
from meshchain.ledger.stamps import PUZZLES, Stamp
from meshchain.ledger.state import Overlay

MAX_WAITING: Final = 10_000
"""Operations still to be brought into the chain: at two stamps a minute a week's work for a small machine."""
MAX_PER_NAME: Final = 64
"""Of these, for one name: each is tried on top of those before it."""
_LARGEST_STAMP: Final = Stamp((1 << 32) - 1, bytes(8), 64, ((1 << 64) - 1,) * PUZZLES)


class Submission:
    """Drafts of one call, checked one after the other; nothing is changed before all have passed."""

    def __init__(self, shelf: Shelf, facts: Facts, genesis: bytes, order: int, added: int) -> None:
        self.items: list[Item] = []
        """New ones."""
        self._shelf = shelf
        self._facts = facts
        self._genesis = genesis
        self._order = order
        self._added = added
        self._waiting = sum(item.alive for item in shelf)

    def take(self, draft: Operation) -> bytes:
        """Check one draft and return its opid; RuleError or CodecError. A known one that has not ended is left."""
        operation = self._well_formed(draft)
        opid = operations.opid(operation, self._genesis)
        if self._is_known(opid):
            return opid
        if self._waiting + len(self.items) >= MAX_WAITING:
            raise RuleError("queue-full", "too many operations wait in the queue", limit=MAX_WAITING)
        signer, base_seq = self._check(operation, opid)
        self._add(operation, opid, signer, base_seq)
        return opid

    def _well_formed(self, draft: Operation) -> Operation:
        """Without a stamp: the queue makes its own."""
        consensus = self._facts.consensus
        stamped = operations.encode(replace(draft, stamp=_LARGEST_STAMP))
        if len(stamped) > consensus.max_operation_size:
            size, limit = len(stamped), consensus.max_operation_size
            raise RuleError("operation-size", "with its stamp the operation is too large", size=size, limit=limit)
        operation = operations.decode_draft(operations.encode(replace(draft, stamp=None)), consensus)
        if not operation.signature and not isinstance(operation, Commit):
            raise RuleError("signature-missing", f"a {operation.kind} is signed before it is queued")
        return operation

    def _is_known(self, opid: bytes) -> bool:
        known = self._shelf.get(opid)
        return (known is not None and known.ended is None) or any(item.opid == opid for item in self.items)

    def _add(self, operation: Operation, opid: bytes, signer: bytes, base_seq: int) -> None:
        item = Item(
            opid=opid,
            operation=operation,
            genesis=self._genesis,
            order=self._order + len(self.items),
            added=self._added,
            signer=signer,
            base_seq=base_seq,
        )
        entry = None if item.name is None else self._facts.entry(item.name)
        if entry is not None and entry.reg == item.reg:
            item.life_end = self._facts.life_end(entry)
        self.items.append(item)

    # --- checks, each returns the key that signed, and the seq of the entry that entitled it ---------------

    def _check(self, operation: Operation, opid: bytes) -> tuple[bytes, int]:
        if isinstance(operation, Commit):
            return b"", 0
        waiting = [item for item in self._named(operation.name) if item.alive]
        if len(waiting) >= MAX_PER_NAME:
            raise RuleError(
                "queue-name-full", "too many operations of this name wait", name=operation.name, limit=MAX_PER_NAME
            )
        if isinstance(operation, Reveal):
            return self._check_reveal(operation, opid)
        height = self._facts.located(opid)
        if height is not None:
            raise RuleError("already-confirmed", f"block {height} holds this operation", height=height)
        return self._check_turn(operation, opid, waiting)

    def _check_reveal(self, operation: Reveal, opid: bytes) -> tuple[bytes, int]:
        if self._facts.located(opid) is None:
            self._check_free(operation)
            self._check_commit(operation)
        rules.check_authority(self._facts.state, operation, self._facts.context)
        return operation.owner, 0

    def _check_free(self, operation: Reveal) -> None:
        taken = self._facts.entry(operation.name)
        if taken is not None:
            raise RuleError("name-taken", f"{operation.name} is registered", name=operation.name, expires=taken.expires)

    def _check_commit(self, operation: Reveal) -> None:
        o = operation
        commitment = operations.commitment(self._genesis, o.salt, o.owner, o.born, o.name)
        known = self._facts.commitment(commitment)
        if known is not None and known.used:
            raise RuleError("commitment-used", "the commitment has been revealed", name=o.name)
        here = [*self._shelf.commits(commitment), *(i for i in self.items if i.commitment == commitment)]
        queued = any(item.ended is None and isinstance(item.operation, Commit) for item in here)
        if known is None and not queued:
            raise RuleError("commitment-missing", "neither queue nor chain holds this reveal's commit", name=o.name)
        height = self._facts.height if known is None else known.height
        if abs(height - o.born) > born_range(self._facts):
            raise RuleError("born-range", "born does not fit the commit's height", born=o.born, commit=height)
        if not queued:
            commit = Commit(commitment=commitment)  # so that it can be sent again if a reorg takes it out
            self._add(commit, operations.opid(commit, self._genesis), b"", 0)

    def _check_turn(
        self, operation: Update | Renew | Transfer | Revoke, opid: bytes, waiting: list[Item]
    ) -> tuple[bytes, int]:
        before = [item for item in waiting if item.reg == operation.reg and RANK[item.kind] <= RANK[operation.kind]]
        trial = self._trial(operation.name, before)
        entry = trial.entry(operation.name)
        rules.apply(trial, operation, self._facts.context)
        assert entry is not None  # apply() has seen it
        if isinstance(operation, Renew) and not verify_ecdsa(entry.owner, opid, operation.signature):
            return primary_key(entry.record) or b"", entry.seq
        return entry.owner, entry.seq

    def _trial(self, name: str, before: list[Item]) -> Overlay:
        """The next block's state after the queued operations ``before`` of one life of the name."""
        trial = Overlay(self._facts.state)
        for item in sorted(before, key=turn):
            if isinstance(item.operation, Reveal):
                trial.set_entry(name, self._registered(item.operation, item.commitment))
                continue
            try:
                rules.apply(trial, item.operation, self._facts.context)
            except RuleError:
                continue  # it waits for something else, or will end
        return trial

    def _registered(self, reveal: Reveal, commitment: bytes) -> NameEntry:
        """The entry that a queued reveal will make; its claim, which nothing here asks for, aside."""
        height = self._facts.height
        return NameEntry(
            owner=reveal.owner,
            reg=commitment[:REG_SIZE],
            record=reveal.record,
            address=None,
            seq=0,
            registered=height,
            expires=height + self._facts.consensus.expiry,
            revoked=False,
        )

    def _named(self, name: str) -> list[Item]:
        return [*self._shelf.named(name), *(item for item in self.items if item.name == name)]
