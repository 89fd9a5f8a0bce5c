"""Which connections to hold: ``outbound`` looks for them, ``inbound`` admits and evicts, ``slots`` keeps both."""

from meshchain.p2p.slots.held import Held
from meshchain.p2p.slots.slots import Slots

__all__ = ["Held", "Slots"]
