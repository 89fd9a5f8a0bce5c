"""Adjacencies: how one begins, which of its sessions is sent on, and how it ends.

Theory of operation
===================
A handshake ends in a session that is *good* on our side: for the initiator with the RESPONSE (it was made for this very
INIT), for the responder with the first sealed frame under it (an INIT may be a replay). The first good session of a key
on a link makes an adjacency, and ``on.up`` is called; the first sealed frame of the initiator is on its way then.

Later good sessions replace the one that is sent on. Nothing is lost by that, because a replaced session still opens:
for 30 s, and as long as frames come under it. The other side may go on sending on it for that long or longer.

Both sides may begin at once; then there are two sessions, and each side may prefer the other one. That harms nobody,
for the reason above, but to rekey two sessions in place of one is waste. So of two good sessions made within 5 s, by
one side each, both sides prefer the one that the smaller key began.

    age of the session in use                 what happens
    120 s, we began it                        a new handshake, repeated until it is answered
    150 s, the other side began it            the same (its own at 120 s has usually come first)
    2^30 messages in either direction         the same
    240 s                                     the adjacency ends: its keys have served too long

An adjacency ends (``on.down``) when it is silent (``watch``), by BYE, when the ledger bars the key, with the link, or
when the machine slept. Except after BYE and bars, and where the link is gone, a new handshake is tried.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from meshchain.crypto.address import node_id
from meshrouter.directory import Role
from meshrouter.neighbours.bond import Bond
from meshrouter.neighbours.ground import Ground, Port
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.neighbours.session import LinkSession
from meshrouter.wire.control import BARRED, CLOSING, FULL, Bye, Message, split
from meshrouter.wire.frame import CONTROL, OVERHEAD
from meshrouter.wire.handshake import LinkPayload

REKEY_OURS: Final = 120.0
REKEY_THEIRS: Final = 150.0
REKEY_SPREAD: Final = 5.0
"""Sessions that began together must not be renewed together."""
DEATH: Final = 240.0
LINGER: Final = 30.0
AT_ONCE: Final = 5.0
MOST_SESSIONS: Final = 4
"""Open at a time with one neighbour: the one in use, one before, and two of a handshake begun by both sides."""
TRY_AGAIN: Final = frozenset({"silent", "rekey", "suspended"})


class Parts(Protocol):
    """What is to be told of beginnings and ends; the machine hands it on to its other parts."""

    def begun(self, bond: Bond, now: float) -> None: ...

    def renewed(self, bond: Bond, now: float) -> None: ...

    def ended(self, bond: Bond, now: float, *, again: bool) -> None: ...

    def due_again(self, bond: Bond, now: float) -> None:
        """A new handshake with the neighbour is wanted."""


class Keeping:
    """All adjacencies."""

    def __init__(self, ground: Ground, parts: Parts) -> None:
        self._ground = ground
        self._parts = parts
        self.bonds: dict[Neighbour, Bond] = {}

    def bond_of(self, port: Port, key: bytes) -> Bond | None:
        neighbour = port.known.get(key)
        return None if neighbour is None else self.bonds[neighbour]

    def good(self, port: Port, address: bytes, payload: LinkPayload, session: LinkSession, now: float) -> Bond | None:
        """A session with the holder of ``payload.key`` is good. None: it is not welcome."""
        if self._ground.directory.role(payload.key) is Role.BARRED:
            self._ground.by_index.pop(session.index, None)
            return None
        if payload.key not in port.known and len(port.known) >= port.most:
            self._make_room(port, now)
        bond = self.bond_of(port, payload.key)
        if bond is None:
            return self._welcome(port, address, payload, session, now)
        bond.neighbour.link_address = address
        self._add(bond, session, now)
        self._describe(bond.neighbour, payload)
        if session.initiator:
            self._parts.renewed(bond, now)
        return bond

    def room_for(self, port: Port, key: bytes) -> bool:
        """Whether it may become a neighbour here. On a full link, only a member in place of a guest."""
        if key in port.known or key in port.strangers or not port.full:
            return True
        return self._ground.directory.role(key) is Role.MEMBER and bool(self._guests(port))

    def _guests(self, port: Port) -> list[Neighbour]:
        role = self._ground.directory.role
        return [neighbour for key, neighbour in port.known.items() if role(key) is not Role.MEMBER]

    def _make_room(self, port: Port, now: float) -> None:
        """The youngest guest goes, if there is one; who was promised a place comes in anyway."""
        for guest in self._guests(port)[-1:]:
            self.dismiss(self.bonds[guest], FULL, "full", now)

    def renew(self, bond: Bond, now: float) -> None:
        """Its session should be replaced."""
        self._parts.due_again(bond, now)

    def send(self, neighbour: Neighbour, messages: Sequence[Message]) -> None:
        """In as few frames as the link allows."""
        link = neighbour.link
        for plaintext in split(messages, link.mtu - OVERHEAD):
            frame = neighbour.session.seal(CONTROL, plaintext)
            link.send(neighbour.link_address, frame)
            neighbour.frames_out += 1
            neighbour.bytes_out += len(frame)

    def dismiss(self, bond: Bond, code: int, reason: str, now: float) -> None:
        """End it, and say so."""
        self.send(bond.neighbour, [Bye(code)])
        self.end(bond, reason, now)

    def dismiss_barred(self, key: bytes, now: float) -> None:
        """The ledger lists the key as revoked."""
        for bond in [bond for neighbour, bond in self.bonds.items() if neighbour.key == key]:
            self.dismiss(bond, BARRED, "barred", now)

    def dismiss_all(self, now: float) -> None:
        """The node ends."""
        for bond in list(self.bonds.values()):
            self.dismiss(bond, CLOSING, "closing", now)

    def end(self, bond: Bond, reason: str, now: float) -> None:
        """It is over; no frame of it opens any more."""
        neighbour, timers = bond.neighbour, self._ground.timers
        for session in bond.sessions:
            self._close(session)
        for what in ("rekey", "death", "unused"):
            timers.stop((what, bond))
        del self.bonds[neighbour], bond.port.known[neighbour.key]
        neighbour.up = False
        self._ground.on.down(neighbour, reason)
        self._parts.ended(bond, now, again=reason in TRY_AGAIN)

    # --- sessions ------------------------------------------------------------------------------------------------

    def _welcome(
        self, port: Port, address: bytes, payload: LinkPayload, session: LinkSession, now: float
    ) -> Bond | None:
        origin = node_id(payload.key)
        if origin is None:
            return None
        neighbour = port.strangers.pop(payload.key, None) or Neighbour(
            key=payload.key, id=origin, link=port.link, link_address=address, since=now, session=session
        )
        neighbour.link_address, neighbour.session = address, session
        neighbour.since = neighbour.heard = now
        neighbour.mtu = port.link.mtu
        neighbour.up = True
        bond = self.bonds[neighbour] = Bond(neighbour, port)
        port.known[payload.key] = neighbour
        self._describe(neighbour, payload, quiet=True)
        self._add(bond, session, now)
        self._ground.on.up(neighbour)
        if neighbour.up:
            self._parts.begun(bond, now)
        return bond

    def _describe(self, neighbour: Neighbour, payload: LinkPayload, *, quiet: bool = False) -> None:
        before = neighbour.caps, neighbour.gossip_port
        neighbour.caps, neighbour.gossip_port = payload.caps, payload.gossip_port
        neighbour.height = payload.height
        if not quiet and before != (payload.caps, payload.gossip_port):
            self._ground.on.changed(neighbour)

    def _add(self, bond: Bond, session: LinkSession, now: float) -> None:
        self._ground.open_under(session, bond.neighbour)
        bond.sessions.append(session)
        if len(bond.sessions) > MOST_SESSIONS:
            oldest = next(other for other in bond.sessions if other is not bond.neighbour.session)
            self._forget(bond, oldest)
        before = bond.neighbour.session
        if before is session or self._is_better(bond.neighbour.key, session, before):
            self._use(bond, session)
            retired = before
        else:
            retired = session
        if before is not session:
            self._linger(bond, retired, now)

    def _is_better(self, key: bytes, new: LinkSession, old: LinkSession) -> bool:
        if new.initiator is old.initiator or new.made - old.made > AT_ONCE:
            return True
        return new.initiator is (self._ground.env.identity.key < key)

    def _use(self, bond: Bond, session: LinkSession) -> None:
        bond.neighbour.session = session
        timers, rng = self._ground.timers, self._ground.env.rng
        age = (REKEY_OURS if session.initiator else REKEY_THEIRS) + rng.uniform(0, REKEY_SPREAD)
        timers.at(("rekey", bond), session.made + age, lambda later: self.renew(bond, later))
        timers.at(("death", bond), session.made + DEATH, lambda later: self.end(bond, "rekey", later))

    def _linger(self, bond: Bond, session: LinkSession, now: float) -> None:
        """Look again in 30 s whether anything came under it."""
        greatest = session.window.greatest

        def look(later: float) -> None:
            if session is bond.neighbour.session:
                return
            if session.window.greatest == greatest or later - session.made > DEATH:
                self._forget(bond, session)
            else:
                self._linger(bond, session, later)

        self._ground.timers.at(("linger", session), now + LINGER, look)

    def _forget(self, bond: Bond, session: LinkSession) -> None:
        bond.sessions.remove(session)
        self._close(session)

    def _close(self, session: LinkSession) -> None:
        self._ground.timers.stop(("linger", session))
        self._ground.by_index.pop(session.index, None)
