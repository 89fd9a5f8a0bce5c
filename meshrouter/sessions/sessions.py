"""The machine of the ends: IPv6 packets from the TUN go sealed to another node, what comes is opened for the TUN.

Theory of operation
===================
A *pair* is two addresses, ours and theirs. What goes between them goes on its current session; if it has none, the
packet waits (``pending``) and a handshake begins (``handshakes``). Of a session:

    unproven     the other side has begun it; nothing is sent on it before a packet has come on it
    current      of its pair: what is sent goes here. A new one takes the place as soon as it may be sent on
    old          proven, but no longer sent on; what comes is still taken: the other side may send on no other
    over         300 s old, closed by the ledger, or the one unused longest of more than 4,096

A current session with traffic is renewed after 120 s by who has begun it, after 150 s by the other (or either after
2^30 packets, and up to 5 s later each, by chance, so that they do not meet again and again); nothing waits for it. A
packet is looked at twice only when its session is ``due``: unproven, old, or to be renewed. So the usual packet costs
one lookup and one comparison besides its seal.

If both sides begin at the same time there are two sessions, and each side may prefer the one on which it heard first.
The side that hears on the other one follows, if that was begun by the smaller id and within 10 s; so both come to send
on the same. Who has begun the current session but still hears the old one shows the new one again, once a second, with
a packet that has nothing in it (next header 59).

What comes for an index that nobody knows (we have restarted) is answered with a NOSESSION, at a bounded rate. What
strangers say of our sessions is for ``hints``. A block that takes an address from a key closes their sessions at once;
keys and addresses of living sessions are asked for again every 30 s, so that the directory goes on watching them.

ECN (RFC 6040): a packet has one traffic class on its whole way, as MESHP *is* the outer header and the inner one does
not travel. It is copied at both ends, and marks that routers have made on the way arrive (normal mode, with nothing to
compare). A hop limit is copied too, so that the mesh's hops show in the kernel's traceroute.
"""

from collections import OrderedDict
from collections.abc import Callable
from struct import Struct
from typing import Final

from meshchain.crypto.address import PREFIX
from meshrouter.directory import Directory, Role
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.handshake import MOST_MESSAGES
from meshrouter.offload.inner import opened, single_text, split_texts, super_texts
from meshrouter.offload.vnet import IPV6_SIZE, TunPacket, VnetHeader
from meshrouter.sessions.claims import Claim, claim_of
from meshrouter.sessions.complaints import ADDRESS, NO_ROUTE, PROHIBITED, Complaints
from meshrouter.sessions.endsession import ALWAYS, HEAD, EndSession
from meshrouter.sessions.handshakes import Handshakes, Told
from meshrouter.sessions.hints import Hints
from meshrouter.sessions.pair import LEAST_MTU, Pair
from meshrouter.sessions.table import LIFETIME, Table
from meshrouter.tokens import Bucket
from meshrouter.wire.frame import MAX_CARS, TAG_SIZE
from meshrouter.wire.meshctl import Error, encode
from meshrouter.wire.nosession import NoSession
from meshrouter.wire.packet import FIRST_WORD, MESHCTL, PACKET_SIZE, SOURCE, Packet
from meshrouter.wire.sec import SEC, SEC_OVERHEAD, SEC_SIZE
from meshrouter.wire.train import MAX_TRAIN

REKEY_INITIATOR: Final = 120.0
REKEY_RESPONDER: Final = 150.0
REKEY_JITTER: Final = 5.0
REKEY_AGAIN: Final = 10.0
"""Seconds after which a renewal that came to nothing is tried again."""
TOGETHER: Final = 10.0
"""Seconds within which two sessions count as begun at the same time."""
NUDGE_EVERY: Final = 1.0
SWEEP_EVERY: Final = 5.0
WATCH_EVERY: Final = 30.0
NOSESSION_RATE: Final = 20.0
"""A second, to all; to one node one a second, and 256 nodes are remembered."""
MOST_STRANGERS: Final = 256
TAKES_TRAINS: Final = 4
"""Bit of caps."""
NO_NEXT_HEADER: Final = 59
MOST_PENDING: Final = 4 << 20
"""Bytes that wait for handshakes, of all pairs together."""
_SEALED_AROUND: Final = SEC_SIZE + TAG_SIZE
_CLASS: Final = 0x0FF0_0000
_TAIL: Final = Struct(">HBB")
_NOTHING: Final = bytes((NO_NEXT_HEADER,))
FOREVER: Final = float("inf")


class Sessions:
    """Of one node. All callables are called inline.

    ``send_packet(packet, now)``: a whole MESHP packet; False if there is no route. ``deliver``: to the TUN.
    ``key_of(id)``: the key behind a derived address, from routing or the ledger. ``max_packet(id)``: bytes of the
    largest MESHP packet that the first link there carries. ``trains_to(id)``: whether trains may go
    there; where a hop further on takes none, its error says so.
    """

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        caps: int,
        send_packet: Callable[[bytes, float], bool],
        deliver: Callable[[TunPacket], None],
        key_of: Callable[[bytes], bytes | None],
        max_packet: Callable[[bytes], int],
        trains_to: Callable[[bytes], bool],
    ) -> None:
        self._env = env
        self._directory = directory
        self._send = send_packet
        self._deliver = deliver
        self._max_packet = max_packet
        self._trains_to = trains_to
        self.table = Table(env.identity.id, env.zone, env.rng, env.counters)
        self.by_index = self.table.by_index
        self.by_pair = self.table.by_pair
        told = Told(self._established, self._failed)
        self._handshakes = Handshakes(
            env, directory, self.table, told, caps=caps, send=send_packet, key_of=key_of, max_packet=max_packet
        )
        self._complaints = Complaints(deliver, env.counters)
        self._hints = Hints(env, self.table, self._handshakes, self._complaints)
        self._waiting: dict[bytes, Pair] = {}
        """Pairs whose packets wait for a session, by addresses."""
        self._held = 0
        """Bytes that wait."""
        self._strangers: OrderedDict[bytes, float] = OrderedDict()
        """Ids that were lately sent a NOSESSION, and when."""
        self._nosessions = Bucket(NOSESSION_RATE, NOSESSION_RATE)
        self._sweep_at = FOREVER
        self._watch_at = 0.0

    @property
    def own_addresses(self) -> tuple[bytes, ...]:
        """What this node speaks for, the claimed address first."""
        return self._handshakes.own_addresses

    def set_own_addresses(self, addresses: tuple[bytes, ...]) -> None:
        """What has been ours and is no longer loses its sessions."""
        self._handshakes.own_addresses = addresses
        for pair in [pair for pair in self.table.pairs.values() if pair.own not in addresses]:
            self._close(pair)

    # --- from the TUN ---------------------------------------------------------------------------------------

    def outgoing(self, packet: bytes, vnet: VnetHeader | None, now: float) -> None:
        """An IPv6 packet from this machine to a mesh address."""
        session = self.by_pair.get(packet[8:40])
        if session is None or now >= session.due:
            session = self._session_for(packet, vnet, now)
            if session is None:
                return
        try:
            self._transmit(session, packet, vnet, now)
        except WireError as error:
            self._env.counters.drop(f"end-{error.code}")

    def _transmit(self, session: EndSession, packet: bytes, vnet: VnetHeader | None, now: float) -> None:
        word, length, _, hops = HEAD.unpack_from(packet)
        if length + IPV6_SIZE != len(packet):
            raise WireError("packet-size", "the packet is not as long as it says")
        pair = session.pair
        word = FIRST_WORD | word & _CLASS | pair.labels.of(packet)
        session.used = now
        if vnet is not None and vnet.gso_type:
            self._transmit_super(session, packet, vnet, word, hops, now)
            return
        if length > LEAST_MTU - SEC_OVERHEAD - IPV6_SIZE and length + IPV6_SIZE > self._limit(pair, now):
            self._too_big(pair, packet, now)
            return
        text = single_text(packet, vnet)
        sent = self._send(session.seal(text, word, len(text) + _SEALED_AROUND, hops), now)
        session.remember(packet, hops)
        session.bytes_out += length
        if not sent:
            self._complaints.unreachable(NO_ROUTE, packet, now)

    def _transmit_super(
        self, session: EndSession, packet: bytes, vnet: VnetHeader, word: int, hops: int, now: float
    ) -> None:
        texts, whole = self._texts(session.pair, packet, vnet, now)
        for text in texts:
            length = 0 if whole else len(text) + _SEALED_AROUND
            sent = self._send(session.seal(text, word, length, hops), now)
            session.remember(packet, hops)
            if not sent:
                self._complaints.unreachable(NO_ROUTE, packet, now)
                return
        session.bytes_out += len(packet)

    def _texts(self, pair: Pair, packet: bytes, vnet: VnetHeader, now: float) -> tuple[list[bytes], bool]:
        """What to seal, and whether it is to go as trains."""
        limit = self._limit(pair, now)
        if pair.caps & TAKES_TRAINS and now >= pair.split_until and self._trains_to(pair.id):
            # a car has 16 bytes more than the largest packet: the tag of that is in the piece
            car = limit + SEC_OVERHEAD + TAG_SIZE
            room = min(MAX_TRAIN, MAX_CARS * car - TAG_SIZE) - PACKET_SIZE - _SEALED_AROUND
            texts = super_texts(packet, vnet, room)
            if texts is not None:
                return texts, True
        if vnet.header_length + vnet.gso_size > limit:
            self._too_big(pair, packet, now)
        return split_texts(packet, vnet, limit), False

    def _limit(self, pair: Pair, now: float) -> int:
        """Bytes of the largest IPv6 packet that can go as one."""
        return max(LEAST_MTU, min(self._max_packet(pair.id), pair.mtu(now))) - SEC_OVERHEAD

    def _too_big(self, pair: Pair, packet: bytes, now: float) -> None:
        self._env.counters.drop("end-too-big")
        self._complaints.too_big(self._limit(pair, now), packet, now)

    def _session_for(self, packet: bytes, vnet: VnetHeader | None, now: float) -> EndSession | None:
        """What to send on; None: the packet waits for it, or is dropped."""
        own, other = packet[8:24], packet[24:40]
        if len(packet) < IPV6_SIZE or own not in self.own_addresses:
            self._env.counters.drop("end-source")
            return None
        if other[:2] != PREFIX or other in self.own_addresses:
            self._env.counters.drop("end-destination")
            return None
        pair = self.table.pair(own, other)
        if pair is None:
            return None
        self._sweep_at = min(self._sweep_at, now + SWEEP_EVERY)
        session = pair.current
        if session is None or now >= session.born + LIFETIME:
            self._wait(pair, packet, vnet, now)
            return None
        self._renew(session, now)
        return session

    def _renew(self, session: EndSession, now: float) -> None:
        """A current session is due."""
        session.due = now + REKEY_AGAIN
        self._handshakes.begin(session.pair, now)

    def _wait(self, pair: Pair, packet: bytes, vnet: VnetHeader | None, now: float) -> None:
        if pair.current is not None:
            self.table.close(pair.current)
        if self._held + len(packet) > MOST_PENDING or not self._queue(pair, packet, vnet, now):
            self._env.counters.drop("end-pending")
            return
        if not self._handshakes.begin(pair, now) and pair.pending:
            self._failed(pair, now)

    def _queue(self, pair: Pair, packet: bytes, vnet: VnetHeader | None, now: float) -> bool:
        if not pair.pending.add(packet, vnet, now):
            return False
        self._held += len(packet)
        self._waiting[pair.addresses] = pair
        return True

    # --- from the mesh --------------------------------------------------------------------------------------

    def meshsec(self, packet: bytes, now: float) -> None:
        """A MESHP packet to us that carries MESHSEC."""
        if len(packet) < PACKET_SIZE + SEC_OVERHEAD:
            self._env.counters.drop("end-sec-size")
            return
        index, low = SEC.unpack_from(packet, PACKET_SIZE)
        session = self.by_index.get(index)
        if session is None:
            self._unknown(packet, index, low, now)
            return
        text = session.open(packet, low)
        if text is None:
            self._env.counters.drop("end-tag")
            return
        session.used = now
        if now >= session.due:
            self._heard(session, now)
        try:
            protocol, vnet, start = opened(text)
        except WireError as error:
            self._env.counters.drop(f"end-{error.code}")
            return
        if protocol == NO_NEXT_HEADER:
            return
        length = len(text) - start
        session.bytes_in += length
        head = packet[:4] + _TAIL.pack(length, protocol, packet[7]) + session.addresses
        self._deliver(TunPacket(vnet, b"".join((head, memoryview(text)[start:]))))

    def _heard(self, session: EndSession, now: float) -> None:
        """An authentic packet has come on a session that is unproven, old, or due to be renewed."""
        pair = session.pair
        current = pair.current
        if session is current:
            self._renew(session, now)
        elif not session.proven or current is None or self._outranks(session, current):
            self._send_on(session, now)
        elif current.initiator and now >= pair.nudged + NUDGE_EVERY:
            self._nudge(current, now)

    def _outranks(self, session: EndSession, current: EndSession) -> bool:
        if session.initiator is current.initiator or abs(session.born - current.born) > TOGETHER:
            return False
        return session.initiator is (self._env.identity.id < session.pair.id)

    def _unknown(self, packet: bytes, index: int, low: int, now: float) -> None:
        """Tells the sender that it speaks to nobody, at a bounded rate."""
        self._env.counters.drop("end-unknown")
        source = packet[SOURCE]
        if self._strangers.get(source, ALWAYS) + 1.0 > now or not self._nosessions.spend(1, now):
            return
        self._strangers[source] = now
        self._strangers.move_to_end(source)
        if len(self._strangers) > MOST_STRANGERS:
            self._strangers.popitem(last=False)
        answer = Packet(
            next_header=MESHCTL,
            source=self._env.identity.id,
            destination=source,
            payload=encode(NoSession(index, low)),
            source_zone=self._env.zone,
            destination_zone=self._env.zone,
        )
        self._send(answer.encode(), now)

    def handshake(self, packet: bytes, now: float) -> None:
        """A MESHP packet to us that carries MESHHS."""
        self._sweep_at = min(self._sweep_at, now + SWEEP_EVERY)
        try:
            self._handshakes.received(packet, now)
        except WireError as error:
            self._env.counters.drop(f"end-{error.code}")

    def nosession(self, source: bytes, hint: NoSession, now: float) -> None:
        """Somebody says in the name of ``source`` (id) that a session of ours is not known there."""
        try:
            self._hints.nosession(source, hint, now)
        except WireError as error:
            self._env.counters.drop(f"end-{error.code}")

    def error(self, source: bytes, error: Error, now: float) -> None:
        """Somebody says in the name of a router (id) that a packet of ours could not go on."""
        try:
            self._hints.error(source, error, now)
        except WireError as refusal:
            self._env.counters.drop(f"end-{refusal.code}")

    # --- handshakes' outcome --------------------------------------------------------------------------------

    def _established(self, session: EndSession, now: float) -> None:
        self._send_on(session, now)
        if session.sealer.counter == 0:
            self._nudge(session, now)

    def _send_on(self, session: EndSession, now: float) -> None:
        """The session becomes its pair's current one, and what waits goes."""
        age = REKEY_INITIATOR if session.initiator else REKEY_RESPONDER
        self.table.send_on(session, session.born + age + self._env.rng.uniform(0, REKEY_JITTER))
        pair = session.pair
        self._waiting.pop(pair.addresses, None)
        self._held -= pair.pending.held
        for waiting in pair.pending.take():
            self.outgoing(waiting.packet, waiting.vnet, now)

    def _nudge(self, session: EndSession, now: float) -> None:
        """Shows the other side that a session is there: an empty packet on it."""
        session.pair.nudged = now
        self._send(session.seal(_NOTHING, FIRST_WORD, len(_NOTHING) + _SEALED_AROUND, 64), now)

    def _failed(self, pair: Pair, now: float) -> None:
        """Nobody speaks for the other address: what waits for it is told."""
        barred = pair.key and self._directory.role(pair.key) is Role.BARRED
        self._waiting.pop(pair.addresses, None)
        self._held -= pair.pending.held
        for waiting in pair.pending.take():
            self._complaints.unreachable(PROHIBITED if barred else ADDRESS, waiting.packet, now)

    # --- ledger and clock -----------------------------------------------------------------------------------

    def binding_changed(self, subject: bytes, now: float) -> None:
        """The ledger has told something new of a key (32 bytes) or of a claimed address (16)."""
        for pair in tuple(self.table.pairs.values()):
            if pair.key and subject in (pair.key, pair.other):
                self._check(pair)
        self._handshakes.ledger_told(subject, now)

    def _check(self, pair: Pair) -> None:
        """Closes what the ledger does not allow any more."""
        if claim_of(self._directory, pair.key, pair.other) is Claim.NOT_HELD:
            self._env.counters.drop("end-claim-lost")
            self._close(pair)

    def _close(self, pair: Pair) -> None:
        self._handshakes.give_up(pair)
        self.table.close_all(pair)

    def tick(self, now: float) -> None:
        self._handshakes.tick(now)
        for pair in tuple(self._waiting.values()):
            self._expire(pair, now)
        if now >= self._sweep_at:
            self._sweep(now)

    def _expire(self, pair: Pair, now: float) -> None:
        for packet in pair.pending.late(now):
            self._held -= len(packet)
            self._env.counters.drop("end-pending-late")
            self._complaints.unreachable(ADDRESS, packet, now)
        if not pair.pending:
            self._waiting.pop(pair.addresses, None)

    def _sweep(self, now: float) -> None:
        self.table.sweep(now)
        for session in self.by_pair.values():
            if max(session.sealer.counter, session.opener.window.greatest) >= MOST_MESSAGES:
                session.due = min(session.due, now)
        if now >= self._watch_at:
            self._watch_at = now + WATCH_EVERY
            for pair in tuple(self.table.pairs.values()):
                if pair.key:
                    self._check(pair)
        self._sweep_at = now + SWEEP_EVERY if self.table.pairs else FOREVER

    def deadline(self) -> float:
        """When ``tick`` is needed next; inf while nothing is there."""
        late = [pair.pending.deadline for pair in self._waiting.values()]
        return min(self._sweep_at, self._handshakes.deadline(), *late)
