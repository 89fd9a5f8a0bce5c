"""Headers first: which peer has the most work, and that it is work, before any block is fetched. Start at ``sync``."""

from meshchain.p2p.headersync.heads import Heads
from meshchain.p2p.headersync.locator import locator
from meshchain.p2p.headersync.progress import SyncProgress
from meshchain.p2p.headersync.sync import HeaderSync

__all__ = ["HeaderSync", "Heads", "SyncProgress", "locator"]
