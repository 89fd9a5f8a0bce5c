"""MESHHS: handshakes between ends. The bodies are those of ``handshake``."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from meshrouter.errors import WireError

HS: Final = Struct(">BI")
"""Type, the receiver's index (0 in an INIT)."""
END_INIT: Final = 1
END_RESPONSE: Final = 2
END_COOKIE: Final = 3


@dataclass(frozen=True, slots=True)
class EndHandshake:
    """The payload of a MESHHS packet."""

    kind: int
    """END_INIT, END_RESPONSE or END_COOKIE."""
    index: int
    """The receiver's; 0 in an INIT."""
    body: bytes

    def encode(self) -> bytes:
        return HS.pack(self.kind, self.index) + self.body

    @classmethod
    def decode(cls, payload: bytes) -> "EndHandshake":
        """WireError: wire-size, hs-type, hs-index (an INIT for a receiver that has an index already)."""
        if len(payload) < HS.size:
            raise WireError("wire-size", f"MESHHS has at least {HS.size} bytes, this one has {len(payload)}")
        kind, index = HS.unpack_from(payload)
        if kind not in (END_INIT, END_RESPONSE, END_COOKIE):
            raise WireError("hs-type", f"no handshake message has type {kind}")
        if kind == END_INIT and index:
            raise WireError("hs-index", f"an INIT to index {index}")
        return cls(kind, index, payload[HS.size :])
