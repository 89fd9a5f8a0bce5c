"""Many whole nodes in one process on a virtual clock; begin with ``world``."""

from meshchain.sim.node import SimNode
from meshchain.sim.world import World

__all__ = ["SimNode", "World"]
