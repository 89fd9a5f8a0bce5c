"""The machine of neighbours: over all links, who is there, proven, and how well it is heard.

Theory of operation
===================
Sans-IO: frames and ``now`` come in, frames leave through each link's outbox, and what happens to adjacencies is told by
callables. Four parts do the work for each link or each adjacency (``ground`` lists them); this one takes what comes in
to the right part, and counts what is wrong with it.

    what comes                            goes to
    BEACON, SOLICIT                       beacons, connecting
    INIT                                  answering
    RESPONSE, COOKIE                      connecting
    NOSESSION                             here: a hint, at most one handshake a second
    CONTROL: HELLO                        probing
    CONTROL: REDIRECT, BYE                redirects, keeping
    every CONTROL message                 also whoever listens (``on.control``)

A machine that wakes up much later than it wanted to has slept, or was stopped: the others have given it up, their keys
and its own clock's worth of routes are gone. So every adjacency ends, and is begun again at once.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from meshrouter.directory import Directory, Role
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.handshake import full_counter
from meshrouter.links.link import Link, Medium
from meshrouter.neighbours import redirects
from meshrouter.neighbours.answering import Answering
from meshrouter.neighbours.beacons import Beacons
from meshrouter.neighbours.bond import Bond
from meshrouter.neighbours.connecting import Connecting
from meshrouter.neighbours.ground import Ground, NeighbourEvents, NeighbourQuestions, Port
from meshrouter.neighbours.keeping import Keeping
from meshrouter.neighbours.neighbour import Inbound, Neighbour
from meshrouter.neighbours.probing import Probing
from meshrouter.neighbours.session import LinkSession
from meshrouter.tokens import Bucket
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import Beacon, Solicit
from meshrouter.wire.control import Bye, Hello, Message, Redirect, decode_all
from meshrouter.wire.nosession import NoSession

SLEPT: Final = 15.0
"""Seconds by which a tick must be late: others give up a silent neighbour after 12."""
NOSESSION_RATE: Final = 10.0
"""A second, over all links: one is enough for each neighbour that has missed our restart."""
RECENT: Final = 4096
"""A NOSESSION must name one of so many frames that we sent last."""


class Station:
    """The parts that serve one link."""

    __slots__ = ("answering", "beacons", "connecting", "port")

    def __init__(self, ground: Ground, keeping: Keeping, link: Link) -> None:
        self.port = Port(link)
        self.beacons = Beacons(ground, self.port)
        self.connecting = Connecting(ground, self.port, keeping)
        self.answering = Answering(ground, self.port, keeping)

    def stop(self) -> None:
        self.beacons.stop()
        self.connecting.stop()
        self.answering.stop()


class Neighbours:
    """Call ``tick`` when ``deadline`` has come; it may come closer with everything that is called, and with every data
    frame sent (``Neighbour.sent``), so ask after each batch."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        own_caps: int,
        gossip_port: int,
        on: NeighbourEvents,
        ask: NeighbourQuestions | None = None,
    ) -> None:
        ask = ask or NeighbourQuestions()
        self.ground = Ground(env, directory, own_caps=own_caps, gossip_port=gossip_port, on=on, ask=ask)
        self.by_index: dict[int, Inbound] = self.ground.by_index
        """Receiver index → session and neighbour, for the data plane. The neighbour may not be ``up`` yet: then a frame
        that opens is to be reported by ``proved``, before it is looked into."""
        self._keeping = Keeping(self.ground, self)
        self._probing = Probing(self.ground, self._keeping)
        self._stations: dict[int, Station] = {}
        self._nosessions = Bucket(NOSESSION_RATE, NOSESSION_RATE)

    def __iter__(self) -> Iterator[Neighbour]:
        """Those that are up, oldest first."""
        return iter(list(self._keeping.bonds))

    # --- links ----------------------------------------------------------------------------------------------------

    def add_link(self, link: Link, now: float) -> None:
        """ValueError for a number that is in use."""
        if link.number in self._stations:
            raise ValueError(f"link number {link.number} is in use")
        station = self._stations[link.number] = Station(self.ground, self._keeping, link)
        if link.up:
            station.beacons.start(now)

    def remove_link(self, link: Link, now: float) -> None:
        station = self._station(link)
        if station is not None:
            self._clear(station, "removed", now)
            del self._stations[link.number]

    def carrier(self, link: Link, now: float) -> None:
        """``link.up`` has changed."""
        station = self._station(link)
        if station is not None:
            self._clear(station, "carrier", now)
            if link.up:
                station.beacons.start(now)

    def _clear(self, station: Station, reason: str, now: float) -> None:
        for neighbour in list(station.port.known.values()):
            self._keeping.end(self._keeping.bonds[neighbour], reason, now)
        station.stop()

    def _station(self, link: Link) -> Station | None:
        station = self._stations.get(link.number)
        return station if station is not None and station.port.link is link else None

    # --- what comes -----------------------------------------------------------------------------------------------

    def clear_frame(self, link: Link, address: bytes, frame: bytes, now: float) -> None:
        """A frame of the clear types, from anybody. What is wrong with it is counted."""
        station = self._station(link)
        if station is None or not link.up:
            return
        try:
            self._clear_frame(station, address, frames.Frame.decode(frame), now)
        except WireError as error:
            self.ground.drop(error.code)

    def _clear_frame(self, station: Station, address: bytes, frame: frames.Frame, now: float) -> None:
        match frame.kind:
            case frames.BEACON:
                self._beacon(station, address, Beacon.decode(frame.body), now)
            case frames.SOLICIT:
                self._solicit(station, address, Solicit.decode(frame.body), now)
            case frames.INIT:
                station.answering.init(address, frame.body, now)
            case frames.RESPONSE:
                station.connecting.response(frame.index, frame.body, now)
            case frames.COOKIE:
                station.connecting.cookie(frame.index, frame.body, now)
            case frames.NOSESSION:
                self._nosession(station, NoSession.decode(frame.body), now)
            case _:
                raise WireError("frame-type", "a sealed frame where clear ones are read")

    def control_frame(self, session: LinkSession, plaintext: bytes, now: float, address: bytes | None = None) -> None:
        """What a CONTROL frame opened to.

        ``address``: where it came from. Over IP a neighbour may move, and be followed: behind a translator, or by a new
        lease. A MAC address that changes within a session is somebody else's.
        """
        self.proved(session, now, address)
        inbound = self.by_index.get(session.index)
        if inbound is None or inbound.session is not session or not inbound.neighbour.up:
            return
        neighbour = inbound.neighbour
        neighbour.heard = now
        if address is not None and neighbour.link.medium is not Medium.ETHERNET:
            neighbour.link_address = address
        try:
            messages = decode_all(plaintext)
        except WireError as error:
            self.ground.drop(error.code)
            return
        for message in messages:
            self._message(neighbour, message, now)

    def proved(self, session: LinkSession, now: float, address: bytes | None = None) -> None:
        """A frame has opened under a session whose neighbour was not up yet, or which is new. Cheap otherwise."""
        inbound = self.by_index.get(session.index)
        station = None if inbound is None else self._station(inbound.neighbour.link)
        if station is not None:
            station.answering.proved(session, now, address)

    def unknown(self, link: Link, address: bytes, index: int, counter: int, now: float) -> None:
        """A sealed frame came to an index that nobody has (``counter``: its low 32 bits): say so, now and then."""
        if self._station(link) is not None and self._nosessions.spend(1, now):
            link.send(address, frames.clear(frames.NOSESSION, NoSession(index, counter).encode()))

    def _beacon(self, station: Station, address: bytes, beacon: Beacon, now: float) -> None:
        env = self.ground.env
        if beacon.network != env.network:
            raise WireError("link-network", "a BEACON of another network")
        if beacon.key != env.identity.key:
            station.beacons.heard()
            station.connecting.beacon(beacon.key, address, now)

    def _solicit(self, station: Station, address: bytes, solicit: Solicit, now: float) -> None:
        if solicit.network != self.ground.env.network:
            raise WireError("link-network", "a SOLICIT of another network")
        station.beacons.solicited(address, now)

    def _nosession(self, station: Station, echo: NoSession, now: float) -> None:
        """Believed only so far as to try a handshake; the session goes on meanwhile."""
        for neighbour in station.port.known.values():
            sealer = neighbour.session.sealer
            if sealer.index == echo.index and 0 < sealer.counter - full_counter(echo.counter, sealer.counter) < RECENT:
                bond = self._keeping.bonds[neighbour]
                if bond.hints.spend(1, now):
                    self.due_again(bond, now)
                return
        raise WireError("link-nosession", "a NOSESSION about nothing that we sent lately")

    def _message(self, neighbour: Neighbour, message: Message, now: float) -> None:
        bond = self._keeping.bonds.get(neighbour)
        if bond is None:
            return  # an earlier message of the frame has ended it
        if isinstance(message, Hello):
            self._probing.hello(bond, message, now)
        elif isinstance(message, Redirect):
            self._redirect(bond, message, now)
        self.ground.on.control(neighbour, message)
        if isinstance(message, Bye) and neighbour.up:
            self._keeping.end(bond, "bye", now)

    def _redirect(self, bond: Bond, redirect: Redirect, now: float) -> None:
        station = self._station(bond.port.link)
        own = redirect.key == self.ground.env.identity.key
        if station is None or own or not redirects.follow(bond, redirect, partial(self._follow, station, now), now):
            self.ground.drop("link-redirect")

    def _follow(self, station: Station, now: float, key: bytes, address: bytes) -> None:
        station.connecting.reach(key, address, now, redirected=True)

    # --- what goes ------------------------------------------------------------------------------------------------

    def send_control(self, neighbour: Neighbour, messages: Sequence[Message], now: float) -> None:  # noqa: ARG002
        """Seal them into as few frames as the link allows. Who is not up hears nothing."""
        if neighbour.up:
            self._keeping.send(neighbour, messages)

    def binding_changed(self, key: bytes, now: float) -> None:
        """The ledger says something new of a key; only bars matter here."""
        if self.ground.directory.role(key) is Role.BARRED:
            self._keeping.dismiss_barred(key, now)
            for station in self._stations.values():
                station.connecting.cancel(key)

    def close(self, now: float) -> None:
        """BYE to all: the node ends."""
        self._keeping.dismiss_all(now)
        for station in self._stations.values():
            station.stop()

    # --- time -----------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        if now - self.deadline() > SLEPT:
            for bond in list(self._keeping.bonds.values()):
                self._keeping.end(bond, "suspended", now)
        self.ground.timers.run(now)
        self._probing.check(now)

    def deadline(self) -> float:
        """When ``tick`` is needed next; inf if never. One comparison a neighbour."""
        return min(self.ground.timers.next(), self._probing.due())

    # --- for the parts --------------------------------------------------------------------------------------------

    def begun(self, bond: Bond, now: float) -> None:
        """Keeping: an adjacency is up."""
        self._probing.begin(bond, now)

    def renewed(self, bond: Bond, now: float) -> None:
        """Keeping: we have a new session; the other side waits for a frame on it."""
        self._probing.say(bond, now)

    def ended(self, bond: Bond, now: float, *, again: bool) -> None:
        """Keeping: an adjacency is over."""
        self._probing.end(bond, now)
        station = self._station(bond.port.link)
        if station is None or not bond.port.link.up:
            return
        station.connecting.cancel(bond.neighbour.key)
        if again:
            station.connecting.reach(bond.neighbour.key, bond.neighbour.link_address, now)
        station.beacons.unsettled(now)
        station.beacons.lonely(now)

    def due_again(self, bond: Bond, now: float) -> None:
        """Keeping: a session is to be replaced."""
        station = self._station(bond.port.link)
        if station is not None:
            station.connecting.reach(bond.neighbour.key, bond.neighbour.link_address, now)
