"""Whole nodes, each with this very router and this very gossip, on links of a virtual clock; begin with ``world``."""

from meshchain.sim.mesh.node import MeshNode
from meshchain.sim.mesh.world import MeshWorld

__all__ = ["MeshNode", "MeshWorld"]
