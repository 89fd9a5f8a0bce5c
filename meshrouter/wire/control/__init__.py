"""What neighbours tell each other: the messages of sealed CONTROL frames."""

from meshrouter.wire.control.adjacency import (
    BARRED,
    CLOSING,
    FULL,
    MAX_LINK_ADDRESS,
    REPLACED,
    SILENT,
    Bye,
    Redirect,
)
from meshrouter.wire.control.hello import ANSWER_AT_ONCE, Hello
from meshrouter.wire.control.message import Message
from meshrouter.wire.control.routes import (
    INFINITY,
    Dump,
    Retract,
    RouteRequest,
    SeqnoRequest,
    Update,
    announcement,
)
from meshrouter.wire.control.sequence import TYPES, Types, cut, decode_all, encode, encode_all, split

__all__ = [
    "ANSWER_AT_ONCE",
    "BARRED",
    "CLOSING",
    "FULL",
    "INFINITY",
    "MAX_LINK_ADDRESS",
    "REPLACED",
    "SILENT",
    "TYPES",
    "Bye",
    "Dump",
    "Hello",
    "Message",
    "Redirect",
    "Retract",
    "RouteRequest",
    "SeqnoRequest",
    "Types",
    "Update",
    "announcement",
    "cut",
    "decode_all",
    "encode",
    "encode_all",
    "split",
]
