"""Between messages and bytes: one byte of type, then the message's fields as an array of the ledger's codec."""

from typing import Final, TypeAlias

from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError
from meshchain.ledger.params import Consensus
from meshchain.p2p.messages.addresses import Addresses, GetAddresses
from meshchain.p2p.messages.blocks import BlockMessage, GetBlocks, NotFound
from meshchain.p2p.messages.compact import BlockOperations, CompactBlock, GetBlockOperations, SendCompact
from meshchain.p2p.messages.greeting import Goodbye, Ping, Pong, Ready, Version
from meshchain.p2p.messages.headers import GetHeaders, Headers
from meshchain.p2p.messages.limits import Limit
from meshchain.p2p.messages.operations import GetOperations, Inventory, Operations
from meshchain.p2p.messages.reader import Reader

Message: TypeAlias = (
    Version
    | Ready
    | Ping
    | Pong
    | Goodbye
    | GetHeaders
    | Headers
    | GetBlocks
    | BlockMessage
    | NotFound
    | Inventory
    | GetOperations
    | Operations
    | SendCompact
    | CompactBlock
    | GetBlockOperations
    | BlockOperations
    | GetAddresses
    | Addresses
)

_GREETING: Final[tuple[type[Message], ...]] = (Version, Ready, Ping, Pong, Goodbye)
_LEDGER: Final[tuple[type[Message], ...]] = (GetHeaders, Headers, GetBlocks, BlockMessage, NotFound)
_RELAY: Final[tuple[type[Message], ...]] = (Inventory, GetOperations, Operations)
_COMPACT: Final[tuple[type[Message], ...]] = (SendCompact, CompactBlock, GetBlockOperations, BlockOperations)
_ADDRESSES: Final[tuple[type[Message], ...]] = (GetAddresses, Addresses)

TYPES: Final[dict[int, type[Message]]] = {
    cls.TYPE: cls for cls in (*_GREETING, *_LEDGER, *_RELAY, *_COMPACT, *_ADDRESSES)
}
"""Type byte → class."""
LIMITS: Final[dict[int, Limit]] = {number: cls.LIMIT for number, cls in TYPES.items()}
"""Type byte → the greatest size of such a message."""


def limit_of(kind: int, consensus: Consensus) -> int:
    """Bytes of the greatest message whose first byte is ``kind``; 0 if there is no such type."""
    limit = LIMITS.get(kind)
    return 0 if limit is None else limit.size(consensus)


def greatest(consensus: Consensus) -> int:
    """Bytes of the greatest message of any type: what a stream has to have room for."""
    return max(limit.size(consensus) for limit in LIMITS.values())


def encode(message: Message) -> bytes:
    """The bytes of a message. Counts and sizes are the caller's affair: decode refuses what exceeds them."""
    return bytes((message.TYPE,)) + codec.encode(message.values())


def decode(data: bytes, consensus: Consensus) -> Message:
    """Inverse of encode, for bytes from anybody; time and memory are linear in what the type allows.

    CodecError: message-type, message-size, field-count, field-type, field-bytes, field-uint, field-text,
    field-bool, index-order, header-version, and the codec's own codes.
    """
    if not data:
        raise CodecError("truncated", "a message has at least a type")
    cls = TYPES.get(data[0])
    if cls is None:
        raise CodecError("message-type", f"no message has type {data[0]:#04x}")
    most = cls.LIMIT.size(consensus)
    if len(data) > most:
        raise CodecError("message-size", f"a {cls.__name__} has at most {most} bytes, this one has {len(data)}")
    reader = Reader(data, 1)
    message = cls.read(reader, consensus)
    reader.end()
    return message
