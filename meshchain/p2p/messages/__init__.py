"""The messages of gossip: one frozen dataclass each; docs/spec/gossip.md has their layout."""

from meshchain.p2p.messages.addresses import Address, Addresses, GetAddresses
from meshchain.p2p.messages.blocks import BlockMessage, GetBlocks, NotFound, Wanted
from meshchain.p2p.messages.compact import (
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    Prefilled,
    SendCompact,
    short_id,
)
from meshchain.p2p.messages.greeting import PROTOCOL, Goodbye, Ping, Pong, Ready, Version
from meshchain.p2p.messages.headers import GetHeaders, Headers
from meshchain.p2p.messages.limits import (
    MAX_ADDRESSES,
    MAX_BLOCKS,
    MAX_HEADERS,
    MAX_INVENTORY,
    MAX_LOCATOR,
    MAX_OPERATION_BYTES,
    MAX_OPERATIONS,
    Limit,
    block_operations,
)
from meshchain.p2p.messages.operations import GetOperations, Inventory, Operations
from meshchain.p2p.messages.wire import LIMITS, TYPES, Message, decode, encode, greatest, limit_of

__all__ = [
    "LIMITS",
    "MAX_ADDRESSES",
    "MAX_BLOCKS",
    "MAX_HEADERS",
    "MAX_INVENTORY",
    "MAX_LOCATOR",
    "MAX_OPERATIONS",
    "MAX_OPERATION_BYTES",
    "PROTOCOL",
    "TYPES",
    "Address",
    "Addresses",
    "BlockMessage",
    "BlockOperations",
    "CompactBlock",
    "GetAddresses",
    "GetBlockOperations",
    "GetBlocks",
    "GetHeaders",
    "GetOperations",
    "Goodbye",
    "Headers",
    "Inventory",
    "Limit",
    "Message",
    "NotFound",
    "Operations",
    "Ping",
    "Pong",
    "Prefilled",
    "Ready",
    "SendCompact",
    "Version",
    "Wanted",
    "block_operations",
    "decode",
    "encode",
    "greatest",
    "limit_of",
    "short_id",
]
