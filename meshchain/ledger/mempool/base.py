"""The state at the start of the next block: after the tip, without what the next block deletes first."""

from collections.abc import Iterator

from meshchain.ledger import rules
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.state import Commitment, Overlay


class BlockStart:
    """A StateReader that remembers nothing but the deletions: senders choose which names are asked for, and an
    ``Overlay`` keeps every entry it has read."""

    def __init__(self, next_block: NextBlock) -> None:
        self._state = next_block.state
        begun = Overlay(next_block.state)
        rules.begin_block(begun, next_block.context)
        self._entries, self._holders, self._commitments = begun.entries, begun.holders, begun.commitments

    def entry(self, name: str) -> NameEntry | None:
        return self._entries[name] if name in self._entries else self._state.entry(name)

    def holder(self, address: bytes) -> str | None:
        return self._holders[address] if address in self._holders else self._state.holder(address)

    def commitment(self, commitment: bytes) -> Commitment | None:
        if commitment in self._commitments:
            return self._commitments[commitment]
        return self._state.commitment(commitment)

    def expired_names(self, height: int, grace: int) -> Iterator[str]:  # noqa: ARG002 - what had to go is gone
        return iter(())

    def old_commitments(self, below: int) -> Iterator[bytes]:  # noqa: ARG002
        return iter(())
