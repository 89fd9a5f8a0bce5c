"""Questions about the chain: ``answers`` reads what was asked for, ``counter`` says when it is a peer's turn."""

from meshchain.p2p.serving.answers import blocks, headers
from meshchain.p2p.serving.counter import Counter

__all__ = ["Counter", "blocks", "headers"]
