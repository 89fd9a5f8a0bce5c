"""How large a message of each type may be, and how many things it may hold.

Every bound is there because somebody unknown fills what it bounds. Counts follow practice that has carried a large
network for years (Bitcoin Core: 2,000 headers, 16 blocks in flight, 1,000 addresses); sizes follow from counts.
"""

from dataclasses import dataclass
from typing import Final

from meshchain.ledger.params import Consensus

ID_SIZE: Final = 32
SHORT_ID_SIZE: Final = 8

MAX_HEADERS: Final = 2000
MAX_LOCATOR: Final = 32
"""Steps that double after the first ten reach back 2^22 blocks: sixteen years of them."""
MAX_BLOCKS: Final = 16
"""Bodies asked for at once, and in flight, per peer."""
MAX_INVENTORY: Final = 500
MAX_OPERATIONS: Final = 100
"""Operations asked for at once, and sent in one message."""
MAX_OPERATION_BYTES: Final = 1 << 16
"""Bytes of the operations in one message, heads not counted; one of the greatest size any network allows fits."""
MAX_ADDRESSES: Final = 1000
MAX_AGENT: Final = 64
MAX_NETWORK: Final = 32
MAX_CODE: Final = 32
MAX_REASON: Final = 200

_LEAST_IN_BLOCK: Final = 87
"""Bytes that the smallest operation, a commit of 85, takes in a block with its head."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The greatest size of a message, in bytes, type byte included; part of it grows with the network's blocks."""

    fixed: int
    blocks: int = 0
    """Times the greatest block."""
    operations: int = 0
    """Bytes for every operation that a block can hold."""

    def size(self, consensus: Consensus) -> int:
        return self.fixed + self.blocks * consensus.max_block_size + self.operations * block_operations(consensus)


def block_operations(consensus: Consensus) -> int:
    """More operations than this do not fit into a block; fewer than 2^16 on any network."""
    return consensus.max_block_size // _LEAST_IN_BLOCK
