"""The responder's side of handshakes between neighbours.

Theory of operation
===================
Every first message that holds is answered, whoever else is asking, and also by a node that is asking itself. The
session that this makes is a *half*: we know its keys and open frames under it, but send nothing and believe nothing
until a frame has opened, because an INIT can be a replay.

    INIT                                         what happens
    mac1 does not fit                            dropped
    the same as that of a half                   the same RESPONSE again, no work
    the ephemeral key of a half, else different  dropped: no honest key serves twice
    the ephemeral key of a session proven        dropped: a replay, or a late duplicate
    too many                                     a COOKIE, or dropped (``handshake.door``)
    barred key, no room on the link              dropped
    any other                                    a new half, a RESPONSE

A half ends when a frame opens under it (``proved``), after 10 s, or when there are too many: four of one key, because a
key needs one and its network may duplicate or restart a few, and 64 on a link, 0.5 MB. The oldest goes first.

Each link has a door of its own: a flood on one does not slow handshakes on another.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from meshchain.crypto.address import node_id
from meshrouter.directory import Role
from meshrouter.errors import WireError
from meshrouter.handshake import CookieReply, Door, Offer
from meshrouter.neighbours.ground import Ground, Port
from meshrouter.neighbours.keeping import Keeping
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.neighbours.session import LinkSession
from meshrouter.tokens import Bucket
from meshrouter.wire import frame
from meshrouter.wire.handshake import Init, LinkPayload

PROLOGUE: Final = b"meshp link 1"
HALF_TIME: Final = 10.0
MOST_HALVES: Final = 64
MOST_OF_ONE_KEY: Final = 4
MOST_SPENT: Final = 1024
"""Ephemeral keys of proven sessions that are remembered: a node with 32 neighbours makes 1,000 in an hour."""
REPEAT_RATE: Final = 20.0
"""RESPONSEs a second that are sent again."""


@dataclass(eq=False, slots=True)
class Half:
    """A handshake answered. ``asked``: what mac1 is over, by which a repetition is known."""

    ephemeral: bytes
    asked: bytes
    response: bytes
    address: bytes
    payload: LinkPayload
    session: LinkSession


class Answering:
    """That of one link."""

    def __init__(self, ground: Ground, port: Port, keeping: Keeping) -> None:
        self._ground = ground
        self._port = port
        self._keeping = keeping
        self._door = Door(ground.env.identity, PROLOGUE + ground.env.genesis, ground.env.rng)
        self._halves: OrderedDict[bytes, Half] = OrderedDict()
        self._by_index: dict[int, Half] = {}
        self._spent: OrderedDict[bytes, None] = OrderedDict()
        self._repeats = Bucket(REPEAT_RATE, REPEAT_RATE)

    def init(self, address: bytes, body: bytes, now: float) -> None:
        """WireError: of Init, Door and LinkPayload; link-replay, link-barred, link-full."""
        init = Init.decode(body)
        if not self._door.knows_us(init):
            raise WireError("handshake-mac1", "mac1 does not fit")
        ephemeral = init.noise[:32]
        half = self._halves.get(ephemeral)
        if half is None and ephemeral not in self._spent:
            self._consider(address, body, init, now)
        elif half is None or half.asked != init.under_mac1:
            raise WireError("link-replay", "this INIT has led to a session already, or has another's ephemeral key")
        elif self._repeats.spend(1, now):
            self._port.link.send(address, half.response)

    def proved(self, session: LinkSession, now: float, address: bytes | None = None) -> None:
        """A frame has opened under ``session``; does nothing unless it is a half."""
        half = self._by_index.get(session.index)
        if half is None:
            return
        self._remove(half)
        self._spent[half.ephemeral] = None
        if len(self._spent) > MOST_SPENT:
            self._spent.popitem(last=False)
        self._keeping.good(self._port, half.address if address is None else address, half.payload, session, now)

    def stop(self) -> None:
        """The link is gone."""
        for half in list(self._halves.values()):
            self._drop(half)

    def _consider(self, address: bytes, body: bytes, init: Init, now: float) -> None:
        source = self._port.link.number.to_bytes(4, "big") + address
        offer = self._door.consume(body, source, now, known=lambda: self._is_at(address))
        if isinstance(offer, CookieReply):
            self._ground.drop("link-cookie")
            self._port.link.send(address, frame.clear(frame.COOKIE, offer.body, offer.remote_index))
            return
        payload = LinkPayload.decode(offer.payload)
        if self._ground.directory.role(payload.key) is Role.BARRED:
            raise WireError("link-barred", "the ledger lists this key as revoked")
        if not self._keeping.room_for(self._port, payload.key):
            raise WireError("link-full", "no room for another neighbour on this link")
        self._answer(address, init.under_mac1, offer, payload, now)

    def _is_at(self, address: bytes) -> bool:
        return any(neighbour.link_address == address for neighbour in self._port.known.values())

    def _answer(self, address: bytes, asked: bytes, offer: Offer, payload: LinkPayload, now: float) -> None:
        index = self._ground.new_index()
        body, send, receive = offer.answer(self._ground.payload(), index)
        session = LinkSession(index, offer.remote_index, send, receive, initiator=False, made=now)
        response = frame.clear(frame.RESPONSE, body, offer.remote_index)
        self._keep(Half(offer.ephemeral, asked, response, address, payload, session), now)
        self._ground.open_under(session, self._neighbour_of(payload.key, address, session, now))
        self._port.link.send(address, response)

    def _neighbour_of(self, key: bytes, address: bytes, session: LinkSession, now: float) -> Neighbour:
        """Whom frames under a half would be from: the neighbour, or who may become one."""
        known = self._port.known.get(key) or self._port.strangers.get(key)
        if known is None:
            origin = node_id(key)
            assert origin is not None  # the door looked
            known = self._port.strangers[key] = Neighbour(
                key=key, id=origin, link=self._port.link, link_address=address, since=now, session=session
            )
        return known

    def _keep(self, half: Half, now: float) -> None:
        same = [other for other in self._halves.values() if other.payload.key == half.payload.key]
        if len(same) >= MOST_OF_ONE_KEY:
            self._drop(same[0])
        elif len(self._halves) >= MOST_HALVES:
            self._drop(next(iter(self._halves.values())))
        self._halves[half.ephemeral] = self._by_index[half.session.index] = half
        self._ground.timers.at(("half", half), now + HALF_TIME, lambda later: self._expire(half, later))

    def _expire(self, half: Half, now: float) -> None:
        if half.session.proven:
            self.proved(half.session, now)  # by data, and whoever opened it did not say so
        else:
            self._drop(half)

    def _drop(self, half: Half) -> None:
        self._remove(half)
        self._ground.by_index.pop(half.session.index, None)
        if not any(other.payload.key == half.payload.key for other in self._halves.values()):
            self._port.strangers.pop(half.payload.key, None)

    def _remove(self, half: Half) -> None:
        self._halves.pop(half.ephemeral, None)
        self._by_index.pop(half.session.index, None)
        self._ground.timers.stop(("half", half))
