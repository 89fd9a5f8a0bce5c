"""What an origin says of itself, signed: the part of a route that nobody on the way can change."""

from dataclasses import dataclass, field

from meshrouter.identity import Identity
from meshrouter.wire.control import Update, announcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """``key``: 32 bytes, ``id``: 14, ``signature``: 64. It holds: whoever makes one has signed or verified it."""

    key: bytes
    id: bytes
    seqno: int
    height: int
    caps: int
    zone: int
    signature: bytes
    first_heard: float = field(compare=False)
    """Running seconds. Its life counts from here, however often neighbours repeat it."""

    def is_in(self, update: Update) -> bool:
        """Whether an UPDATE carries this very announcement, so that its signature is known to hold."""
        return (
            update.seqno == self.seqno
            and update.signature == self.signature
            and (update.height, update.caps, update.zone) == (self.height, self.caps, self.zone)
        )

    def update(self, metric: int, *, with_key: bool) -> Update:
        return Update(
            id=self.id,
            key=self.key if with_key else None,
            seqno=self.seqno,
            height=self.height,
            caps=self.caps,
            zone=self.zone,
            metric=metric,
            signature=self.signature,
        )


def read(update: Update, key: bytes, heard: float) -> Announcement:
    """From an UPDATE whose signature was verified."""
    return Announcement(
        key=key,
        id=update.id,
        seqno=update.seqno,
        height=update.height,
        caps=update.caps,
        zone=update.zone,
        signature=update.signature,
        first_heard=heard,
    )


def announce(
    identity: Identity, genesis: bytes, *, seqno: int, height: int, caps: int, zone: int, now: float
) -> Announcement:
    """One of our own."""
    signed = announcement(genesis, identity.key, seqno, height, caps, zone)
    return Announcement(
        key=identity.key,
        id=identity.id,
        seqno=seqno,
        height=height,
        caps=caps,
        zone=zone,
        signature=identity.sign(signed),
        first_heard=now,
    )
