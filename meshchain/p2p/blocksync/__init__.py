"""Bodies for headers: fetched in parallel from every peer that has them. Start at ``sync``."""

from meshchain.p2p.blocksync.sync import BlockSync

__all__ = ["BlockSync"]
