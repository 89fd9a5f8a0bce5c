"""Which connections to hold: ``configured`` waits for chosen peers, ``inbound`` evicts, ``slots`` keeps all of them.

``door`` stands before them: who may begin a handshake at all.
"""

from meshchain.p2p.slots.door import Door
from meshchain.p2p.slots.held import Held
from meshchain.p2p.slots.slots import Slots

__all__ = ["Door", "Held", "Slots"]
