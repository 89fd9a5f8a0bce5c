"""What is new, passed on: operations by inventory, blocks by short ids."""

from meshchain.p2p.relay.blocks import BlockRelay
from meshchain.p2p.relay.operations import OperationRelay

__all__ = ["BlockRelay", "OperationRelay"]
