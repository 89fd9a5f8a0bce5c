"""What the rules know besides the state and the operation."""

from dataclasses import dataclass

from meshchain.ledger.params import Consensus


@dataclass(frozen=True, slots=True)
class Context:
    """The block an operation is tried in."""

    consensus: Consensus
    genesis: bytes
    """Id of the genesis block (32 bytes), the network tag of every digest."""
    height: int
