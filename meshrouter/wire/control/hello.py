"""HELLO: the link measured, and what of each other's routes the neighbours think they hold."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshrouter.wire.check import need_size

HELLO_BODY: Final = Struct(">HIIIHHHHQI")

ANSWER_AT_ONCE: Final = 1
"""Flag: send a HELLO back now; the link is in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """34 bytes. Times are microseconds, modulo 2^32 (71 minutes)."""

    TYPE: ClassVar[int] = 1
    SIZE: ClassVar[int] = HELLO_BODY.size

    seq: int
    """u16: one more than in the last HELLO of this session."""
    sent: int
    """The sender's clock now."""
    echo: int = 0
    """``sent`` of the last HELLO that came from the other side; 0 if none has."""
    held: int = 0
    """What has passed since that one came."""
    received: int = 0xFFFF
    """Share of the other side's last 16 HELLOs that came, × 65,535."""
    queue: int = 0
    """How long a frame waits to leave the sender, in milliseconds."""
    mtu: int
    """Largest link frame that the sender takes, in bytes."""
    flags: int = 0
    """ANSWER_AT_ONCE; other bits are ignored."""
    digest: int = 0
    """u64: over the routes that the sender has told in this session."""
    count: int = 0
    """u32: how many those are."""

    def encode(self) -> bytes:
        times = self.sent, self.echo, self.held
        link = self.received, self.queue, self.mtu, self.flags
        return HELLO_BODY.pack(self.seq, *times, *link, self.digest, self.count)

    @classmethod
    def decode(cls, body: bytes) -> "Hello":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a HELLO")
        seq, sent, echo, held, received, queue, mtu, flags, digest, count = HELLO_BODY.unpack(body)
        return cls(
            seq=seq,
            sent=sent,
            echo=echo,
            held=held,
            received=received,
            queue=queue,
            mtu=mtu,
            flags=flags,
            digest=digest,
            count=count,
        )
