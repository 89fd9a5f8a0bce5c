"""The probe that records: one packet in clear that every hop reports on and passes on.

    mode u8 (1) · direction u8 · previous 32 (hash of the last report) · ticket 131 · zeros, 313 bytes in all

Zeros: the probe is as long as the report that it asks for. The direction and ``previous`` are the only bytes that hops
change; what they say of them is in their signed reports, so that a wrong one shows at the next honest hop.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from meshrouter.trace.report import DIRECTIONS, SignedReport
from meshrouter.trace.ticket import Ticket
from meshrouter.wire.check import need, need_size

RECORD: Final = 1
_TICKET_AT: Final = 34
_TICKET_END: Final = _TICKET_AT + Ticket.SIZE


@dataclass(frozen=True, slots=True)
class Probe:
    TYPE: ClassVar[int] = 3
    SIZE: ClassVar[int] = SignedReport.SIZE

    direction: int
    previous: bytes
    ticket: Ticket

    def encode(self) -> bytes:
        body = bytes((RECORD, self.direction)) + self.previous + self.ticket.encode()
        return body.ljust(self.SIZE, b"\0")

    @classmethod
    def decode(cls, body: bytes) -> "Probe":
        """WireError: wire-size, probe-mode, probe-direction, probe-padding, or what the ticket's decode says."""
        need_size(body, cls.SIZE, "a PROBE")
        need(body[0] == RECORD, "probe-mode", f"no PROBE in clear has mode {body[0]}")
        need(body[1] in DIRECTIONS, "probe-direction", f"no probe goes in direction {body[1]}")
        need(not any(body[_TICKET_END:]), "probe-padding", "a PROBE ends in zeros")
        return cls(body[1], body[2:_TICKET_AT], Ticket.decode(body[_TICKET_AT:_TICKET_END]))

    @property
    def ends(self) -> tuple[bytes, bytes]:
        """Source and destination ids of the packet that may carry it."""
        pair = self.ticket.prober, self.ticket.target
        return (pair[1], pair[0]) if self.direction else pair
