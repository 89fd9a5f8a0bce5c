"""Blocks that must be refused on a given tip, one for every rule: (why, code, blocks), the last one is meant."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from docs.spec.making.network import Branch, Op, Person
from docs.spec.making.records import Machine
from meshchain.crypto import sign_ed25519
from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.chain.statedb import changes_of
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal
from meshchain.ledger.rules import begin_block, commit, renew, reveal, revoke, transfer, update
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import Commitment, Overlay

Refusal = tuple[str, str, tuple[Block, ...]]


_EFFECTS: Final[dict[str, Callable[..., None]]] = {
    "commit": commit.effect,
    "reveal": reveal.effect,
    "update": update.effect,
    "renew": renew.effect,
    "transfer": transfer.effect,
    "revoke": revoke.effect,
}


def _fitting(overlay: Overlay, operation: Operation, context: Context) -> Operation:
    """``operation`` so that its effect finds what it needs: a commit for a reveal, the reg that the entry has."""
    if isinstance(operation, Reveal):
        o = operation
        made = operations.commitment(context.genesis, o.salt, o.owner, o.born, o.name)
        if overlay.commitment(made) is None:
            overlay.set_commitment(made, Commitment(context.height, used=False))
    elif not isinstance(operation, Commit) and (entry := overlay.entry(operation.name)) is not None:
        return replace(operation, reg=entry.reg)
    return operation


class Refuser:
    """Makes bad blocks on a branch's tip; ``ann``, ``ben`` and ``cat`` own names there."""

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.ann, self.ben, self.cat = (branch.person(word) for word in ("ann", "ben", "cat"))

    def _with(self, *listed: Operation) -> Block:
        return Block(self.branch.header(listed, self._lax_root(listed)), tuple(listed))

    def _lax_root(self, listed: Sequence[Operation]) -> bytes:
        """The state root if no operation were checked: so that a block falls by the rule meant, not by its root."""
        next_block = self.branch.chain.next_block()
        overlay = Overlay(next_block.state)
        begin_block(overlay, next_block.context)
        for operation in listed:
            with suppress(RuleError):  # where there is no entry to change
                _EFFECTS[operation.kind](overlay, _fitting(overlay, operation, next_block.context), next_block.context)
        return changes_of(overlay, self.branch.chain.state, self.branch.chain.tip.header.state_root)[1]

    def _one(self, why: str, code: str, *listed: Operation) -> Refusal:
        return why, code, (self._with(*(self.branch.stamp(operation) for operation in listed)),)

    # --- headers and bodies, on any tip -----------------------------------------------------------------------

    def headers(self) -> Iterator[Refusal]:
        good = self.branch.block()
        for why, code, header in self._bad_headers(good.header):
            yield why, code, (Block(header, ()),)
        wrong = replace(good.header, operations_root=bytes(32))
        yield "the body is another's", "operations-root", (Block(self.branch.worked(wrong), ()),)
        root = Block(self.branch.worked(replace(good.header, state_root=b"\1" * 32)), ())
        yield "another state root", "state-root", (root,)
        child = replace(good.header, height=good.header.height + 1, previous=root.header.id)
        yield "on an invalid block", "block-failed", (root, Block(self.branch.worked(child), ()))
        repeated = self.branch.stamp(Commit(commitment=bytes(32)))
        yield "an operation twice", "operation-repeated", (self._with(repeated, repeated),)

    def median(self) -> Iterator[Refusal]:
        """On a tip where another count of ancestors, or the lower of two in the middle, gives another median."""
        good, median = self.branch.block().header, self.branch.chain.next_block().median_time
        early = self.branch.worked(replace(good, time=median))
        yield "time equals the median here", "time-too-old", (Block(early, ()),)

    def _bad_headers(self, good: Header) -> Iterator[tuple[str, str, Header]]:
        work = self.branch.worked
        yield "height skipped", "header-height", work(replace(good, height=good.height + 1))
        median = self.branch.chain.next_block().median_time
        yield "time equals the median", "time-too-old", work(replace(good, time=median))
        yield "bits one too small", "header-bits", work(replace(good, bits=good.bits - 1))
        yield "bits of another time", "header-bits", work(replace(good, time=good.time + 5000))
        yield "unknown parent", "unknown-parent", work(replace(good, previous=b"\2" * 32))
        yield "no work", "pow", self._without_work(good)

    def _without_work(self, good: Header) -> Header:
        """The nonce before the least good one; nonces begin at 0, so take another time if that is 0."""
        while good.nonce == 0:
            good = self.branch.header((), good.state_root, step=good.time - self.branch.chain.tip.header.time + 1)
        return replace(good, nonce=good.nonce - 1)

    # --- stamps -----------------------------------------------------------------------------------------------

    def stamps(self) -> Iterator[Refusal]:
        commit = Commit(commitment=b"\3" * 32)
        good = self.branch.stamp(commit)
        assert good.stamp is not None
        yield "anchor not on the grid", "stamp-anchor", (self._with(self.branch.stamp(commit, anchor=1)),)
        fork = replace(good, stamp=replace(good.stamp, anchor_hash=bytes(8)))
        yield "anchor of another branch", "stamp-anchor-fork", (self._with(fork),)
        yield "too few bits", "stamp-bits", (self._with(self.branch.stamp(commit, bits=0)),)
        yield "65 bits", "stamp-bits", (self._with(replace(good, stamp=replace(good.stamp, bits=65))),)
        lied = replace(good, stamp=replace(good.stamp, bits=64))
        yield "bits that were not found", "stamp-work", (self._with(lied),)

    # --- operations -------------------------------------------------------------------------------------------

    def registering(self) -> Iterator[Refusal]:
        """At height 3: alice and erin committed in block 1, dave in block 2."""
        ann, ben = self.ann, self.ben
        yield self._one("commitment in the index", "commitment-known", ann.commit("alice"))
        yield self._one("no such commit", "commitment-missing", ben.reveal("nobody"))
        yield self._one("the commit is one block old", "reveal-too-early", ann.reveal("dave"))
        yield self._one("born after the commit", "born-range", ann.reveal("erin", born=2))
        unsigned = replace(ann.reveal("alice"), signature=ben.reveal("alice").signature)
        yield self._one("signed by another", "signature", unsigned)
        host = Machine(1).host(genesis=self.branch.genesis, owner=ben.key, name="alice")
        yield self._one("a host's proof for another owner", "host-proof", ann.reveal("alice", {"hosts": [host]}))
        twice = ann.reveal("alice"), ben.reveal("alice")
        yield self._one("two reveals of one name", "name-taken", *twice)

    def living(self, reg_alice: bytes, reg_ab: bytes) -> Iterator[Refusal]:
        """At height 5: alice (ann) has seq 1, ab (ben) has seq 5."""
        ann, ben, cat = self.ann, self.ben, self.cat
        yield self._one("a used commitment in the index", "commitment-known", ann.commit("alice"))
        yield self._one("revealed before", "commitment-used", ann.reveal("alice"))
        yield self._one("the name is registered", "name-taken", ben.reveal("alice"))
        yield self._one("no such name", "name-absent", ann.update("nobody", reg_alice, 1))
        yield self._one("another life", "reg-mismatch", ann.update("alice", reg_ab, 2))
        yield self._one("seq not greater", "seq-too-low", ann.update("alice", reg_alice, 1))
        yield self._one("seq 11 ahead", "seq-too-high", ann.update("alice", reg_alice, 12))
        yield self._one("signed by another", "signature", ben.update("alice", reg_alice, 2))
        yield self._one("signed for another network", "signature", self._elsewhere().update("alice", reg_alice, 2))
        yield self._one("another expiry", "expires-mismatch", ann.renew("alice", reg_alice, 34))
        again = ann.renew("alice", reg_alice, 33), ann.renew("alice", reg_alice, 35)
        yield self._one("renewed twice in a block", "renew-no-gain", *again)
        yield self._one("renewed by a node that is no primary", "signature", self._renewed_by(2, reg_alice))
        by_node = self._signed_by_node(1, ann.update("alice", reg_alice, 2))
        yield self._one("updated with a node key's signature", "signature", by_node)
        no_point = b"\2" + (5).to_bytes(32, "big")
        yield self._one("no key", "owner-key", ann.transfer("alice", reg_alice, 2, no_point))
        moved = ann.transfer("alice", reg_alice, 2, cat.key), ann.update("alice", reg_alice, 3)
        yield self._one("the old owner after a transfer", "signature", *moved)

    def _elsewhere(self) -> Person:
        return Person("ann", bytes(32))

    def _renewed_by(self, number: int, reg: bytes) -> Renew:
        return self._signed_by_node(number, Renew(name="alice", reg=reg, expires=33))

    def _signed_by_node(self, number: int, operation: Op) -> Op:
        signature = sign_ed25519(Machine(number).seed, operations.opid(operation, self.branch.genesis))
        return replace(operation, signature=signature)

    def transferred(self, reg_ab: bytes) -> Iterator[Refusal]:
        """ab was transferred to cat: its record is empty."""
        by_node = self._signed_by_node(2, Renew(name="ab", reg=reg_ab, expires=35))
        yield self._one("renewed by the node that was its primary", "signature", by_node)

    def revoked(self, reg_ab: bytes) -> Iterator[Refusal]:
        """After cat revoked ab."""
        yield self._one("update of a revoked name", "name-revoked", self.cat.update("ab", reg_ab, 9))
        yield self._one("renewal of a revoked name", "name-revoked", self.cat.renew("ab", reg_ab, 35))

    def grace(self, reg_alice: bytes) -> Iterator[Refusal]:
        """alice has expired."""
        ann = self.ann
        yield self._one("update in grace", "name-in-grace", ann.update("alice", reg_alice, 3))
        yield self._one("transfer in grace", "name-in-grace", ann.transfer("alice", reg_alice, 3, self.ben.key))
        yield self._one("revoke in grace", "name-in-grace", ann.revoke("alice", reg_alice, 3))

    def pruned(self) -> Iterator[Refusal]:
        """frank's commit has outlived its life."""
        yield self._one("the commit was pruned", "commitment-missing", self.ann.reveal("frank"))

    def late(self) -> Iterator[Refusal]:
        """ivan's commit came more than expiry + grace − life after its born."""
        yield self._one("born too long before the commit", "born-range", self.ann.reveal("ivan"))

    def not_yet_deleted(self, born: int) -> Iterator[Refusal]:
        """ab is revoked; its entry goes with the next but one block."""
        yield self._one("a revoked name is taken", "name-taken", self.ann.reveal("ab", born=born))

    def second_life(self, reg_ab: bytes) -> Iterator[Refusal]:
        """ab is registered anew by ann; cat still holds what it signed for the first life."""
        yield self._one("replayed from the first life", "reg-mismatch", self.cat.update("ab", reg_ab, 9))
