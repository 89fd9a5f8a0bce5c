"""Ping: a PROBE to be echoed, inside the session of both ends.

    PROBE        mode u8 (0) · token 8 · seq u16 · any bytes
    PROBE_REPLY  mode u8 (0) · token 8 · seq u16 · hop limit u8 (of the PROBE as it came in) · the same bytes

Sealed rather than signed. The session has proven both keys, afresh and beyond replay, so that a reply is the target's
word for this very question; it costs two seals of a microsecond, where two signatures would cost 200 and would need a
budget that strangers could use up; a stranger gets no answer at all, so there is nothing to reflect; and it goes where
data goes: the same session, queue, next hops and address pair, claimed addresses included.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from meshrouter.wire.check import need

ECHO: Final = 0
TOKEN_SIZE: Final = 8
_HEAD: Final = 1 + TOKEN_SIZE + 2
"""11 bytes."""


@dataclass(frozen=True, slots=True)
class Echo:
    TYPE: ClassVar[int] = 3

    token: bytes
    seq: int
    filling: bytes = b""

    def encode(self) -> bytes:
        return bytes((ECHO,)) + self.token + self.seq.to_bytes(2, "big") + self.filling

    @classmethod
    def decode(cls, body: bytes) -> "Echo":
        """WireError: echo-size, probe-mode."""
        token, seq = _head(body, _HEAD)
        return cls(token, seq, body[_HEAD:])

    def reply(self, hop_limit: int) -> "EchoReply":
        return EchoReply(self.token, self.seq, hop_limit, self.filling)


@dataclass(frozen=True, slots=True)
class EchoReply:
    TYPE: ClassVar[int] = 4

    token: bytes
    seq: int
    hop_limit: int
    filling: bytes = b""

    def encode(self) -> bytes:
        return bytes((ECHO,)) + self.token + self.seq.to_bytes(2, "big") + bytes((self.hop_limit,)) + self.filling

    @classmethod
    def decode(cls, body: bytes) -> "EchoReply":
        """WireError: echo-size, probe-mode."""
        token, seq = _head(body, _HEAD + 1)
        return cls(token, seq, body[_HEAD], body[_HEAD + 1 :])


def _head(body: bytes, least: int) -> tuple[bytes, int]:
    need(len(body) >= least, "echo-size", f"an echo has at least {least} bytes, this one has {len(body)}")
    need(body[0] == ECHO, "probe-mode", f"no sealed PROBE has mode {body[0]}")
    return body[1 : 1 + TOKEN_SIZE], int.from_bytes(body[1 + TOKEN_SIZE : _HEAD], "big")
