"""Handshakes between ends.

Theory of operation
===================
We begin when there is a packet and no session, or the session grows old; the other side begins whenever it likes. Both
are independent: we answer every valid first message, even while one of ours is under way, and never give up ours for
it. What comes of both is two sessions; either side sends on the newest that it may send on (``sessions`` tells how they
come to prefer the same one).

Beginning, an *attempt*:

    key unknown      the address is claimed, and the ledger is asked; or no route has told the key yet: looked again
                     every 250 ms and whenever the ledger has told something
    INIT sent        the same message again after 0.5, 1, 1 … s, with a cookie if one came; the answer is taken
                     whenever it comes
    RESPONSE good    the session is sent on at once, and the other side shown that it is (``established``)
    5 s              over; what waits is told unreachable (it does not wait longer than 3 s anyway)

Answering: the sender must speak for itself, with the id that its key makes, and for the source address it names, by our
own ledger; and want an address of ours. If the ledger has not said who holds that address, the offer waits 3 s for it,
64 of them at most. The answer makes a session on which nothing is sent before a packet has come on it, as the first
message may be a replay. The same first message again (its ephemeral key tells) gets the same answer again: the first
may have been lost, or be late, and then the initiator goes by it. Once the session is proven it gets none.

A COOKIE makes us repeat the INIT at once, once per cookie.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meshchain.crypto.address import PREFIX, is_claimable, node_id
from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.handshake import CookieReply, Door, Initiation, Offer
from meshrouter.sessions.claims import Claim, claim_of
from meshrouter.sessions.endsession import EndSession
from meshrouter.sessions.pair import Attempt, Pair
from meshrouter.sessions.table import Table
from meshrouter.wire.ends import END_COOKIE, END_INIT, END_RESPONSE, EndHandshake
from meshrouter.wire.handshake import EndPayload
from meshrouter.wire.packet import MESHHS, PACKET_SIZE, SOURCE, Packet

PROLOGUE: Final = b"meshp end 1"
LOOK_AGAIN: Final = 0.25
FIRST_REPEAT: Final = 0.5
REPEAT: Final = 1.0
ATTEMPT_TIME: Final = 5.0
MOST_ATTEMPTS: Final = 256
"""A program that scans addresses must not make more; each may hold 64 KB of waiting packets for 3 s."""
MOST_OFFERS: Final = 64
OFFER_TIME: Final = 3.0
FOREVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Told:
    """What the machine does with the outcome."""

    established: Callable[[EndSession, float], None]
    """We have begun it; it is not yet sent on."""
    failed: Callable[[Pair, float], None]
    """Nobody speaks for that address."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    offer: Offer
    payload: EndPayload
    until: float


class Handshakes:
    """``send`` takes whole MESHP packets; ``max_packet`` tells, for an id, the largest that the first link carries."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        table: Table,
        told: Told,
        *,
        caps: int,
        send: Callable[[bytes, float], bool],
        key_of: Callable[[bytes], bytes | None],
        max_packet: Callable[[bytes], int],
    ) -> None:
        self.own_addresses: tuple[bytes, ...] = (env.identity.address,)
        self._env = env
        self._directory = directory
        self._table = table
        self._told = told
        self._caps = caps
        self._send_packet = send
        self._key_of = key_of
        self._max_packet = max_packet
        self._prologue = PROLOGUE + env.genesis
        self._door = Door(env.identity, self._prologue, env.rng)
        self._attempts: dict[bytes, Pair] = {}
        """By addresses, the oldest first."""
        self._by_index: dict[int, Pair] = {}
        """Attempts whose INIT is made, by the index under which it wants to be answered."""
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()
        """Offers whose claim the ledger is asked about, by key ‖ source ‖ destination."""

    # --- beginning -----------------------------------------------------------------------------------------------

    def begin(self, pair: Pair, now: float) -> bool:
        """Unless one is under way; whether there is one now."""
        if pair.attempt is not None:
            return True
        if len(self._attempts) >= MOST_ATTEMPTS:
            self._env.counters.drop("end-attempts")
            return False
        pair.attempt = Attempt(began=now, next=now)
        self._attempts[pair.addresses] = pair
        self._drive(pair, pair.attempt, now)
        return pair.attempt is not None

    def give_up(self, pair: Pair) -> None:
        """Its attempt, if it has one."""
        if pair.attempt is not None:
            self._attempts.pop(pair.addresses)
            if pair.attempt.initiation is not None:
                self._by_index.pop(pair.attempt.initiation.index)
            pair.attempt = None

    def _drive(self, pair: Pair, attempt: Attempt, now: float) -> None:
        if now >= attempt.began + ATTEMPT_TIME:
            self._fail(pair, now)
            return
        if attempt.initiation is None and not self._prepare(pair, attempt, now):
            return
        if attempt.initiation is not None:
            body = attempt.initiation.message()
            self._send(pair.id, EndHandshake(END_INIT, 0, body), now)
            attempt.next = now + (REPEAT if attempt.tries else FIRST_REPEAT)
            attempt.tries += 1

    def _prepare(self, pair: Pair, attempt: Attempt, now: float) -> bool:
        """Makes the INIT, if it is known for whom."""
        key = self._holder(pair.other)
        claim = Claim.UNKNOWN if key is None else claim_of(self._directory, key, pair.other)
        if is_claimable(pair.other) and key is None and self._directory.is_answered(pair.other):
            claim = Claim.NOT_HELD
        if key is None or claim is not Claim.HELD:
            attempt.next = now + LOOK_AGAIN
            if claim is Claim.NOT_HELD:
                self._fail(pair, now)
            return False
        try:
            attempt.initiation = self._initiation(pair, key)
        except WireError as error:
            self._env.counters.drop(f"end-{error.code}")
            self._fail(pair, now)
            return False
        pair.key, pair.id = key, node_id(key) or b""
        self._by_index[attempt.initiation.index] = pair
        return True

    def _initiation(self, pair: Pair, key: bytes) -> Initiation:
        payload = self._payload(pair, node_id(key) or b"", pair.own, pair.other)
        index = self._table.new_index(self._by_index)
        return Initiation(self._env.identity, key, self._prologue, payload, index, self._env.rng)

    def _holder(self, address: bytes) -> bytes | None:
        return self._directory.holder(address) if is_claimable(address) else self._key_of(address[2:])

    def _fail(self, pair: Pair, now: float) -> None:
        self.give_up(pair)
        self._told.failed(pair, now)

    # --- what comes ----------------------------------------------------------------------------------------------

    def received(self, packet: bytes, now: float) -> None:
        """A whole MESHHS packet to us. WireError: dropped, by the rule in its code."""
        message = EndHandshake.decode(packet[PACKET_SIZE:])
        source = packet[SOURCE]
        if message.kind == END_INIT:
            self._init(message.body, source, now)
            return
        pair = self._by_index.get(message.index)
        if pair is None or pair.attempt is None or pair.attempt.initiation is None or pair.id != source:
            raise WireError("handshake-unknown", "nothing was asked that this answers")
        if message.kind == END_COOKIE:
            self._cookie(pair, pair.attempt, pair.attempt.initiation, message.body, now)
        else:
            self._response(pair, pair.attempt.initiation, message.body, now)

    def _cookie(self, pair: Pair, attempt: Attempt, initiation: Initiation, body: bytes, now: float) -> None:
        before = initiation.cookie
        initiation.read_cookie(body)
        if initiation.cookie != before:
            self._drive(pair, attempt, now)

    def _response(self, pair: Pair, initiation: Initiation, body: bytes, now: float) -> None:
        finished = initiation.finish(body)
        payload = EndPayload.decode(finished.payload)
        self.give_up(pair)
        if (payload.source, payload.destination) != (pair.own, pair.other):
            raise WireError("handshake-pair", "the answer is for another pair of addresses")
        if claim_of(self._directory, payload.key, pair.other) is not Claim.HELD:
            raise WireError("handshake-claim", "the address has changed hands meanwhile")
        keys = finished.send, finished.receive
        session = EndSession(pair, initiation.index, finished.remote_index, *keys, initiator=True, now=now)
        session.told_mtu, session.caps = payload.path_mtu, payload.caps
        self._table.add(session)
        self._told.established(session, now)

    # --- answering -----------------------------------------------------------------------------------------------

    def _init(self, body: bytes, source: bytes, now: float) -> None:
        offer = self._door.consume(body, source, now)
        if isinstance(offer, CookieReply):
            self._send(source, EndHandshake(END_COOKIE, offer.remote_index, offer.body), now)
            return
        if node_id(offer.key) != source:
            raise WireError("handshake-source", "the key is not that of the packet's source")
        payload = EndPayload.decode(offer.payload)
        if payload.source[:2] != PREFIX or payload.destination not in self.own_addresses:
            raise WireError("handshake-destination", "the address wanted is not ours")
        self._judge(_Waiting(offer, payload, now + OFFER_TIME), now)

    def _judge(self, waiting: _Waiting, now: float) -> None:
        payload = waiting.payload
        claim = claim_of(self._directory, payload.key, payload.source)
        if claim is Claim.NOT_HELD:
            raise WireError("handshake-claim", "the source address is not that key's")
        if claim is Claim.UNKNOWN:
            self._waiting[payload.key + payload.source + payload.destination] = waiting
            if len(self._waiting) > MOST_OFFERS:
                self._waiting.popitem(last=False)
            return
        self._answer(waiting.offer, payload, now)

    def _answer(self, offer: Offer, payload: EndPayload, now: float) -> None:
        if self._table.is_spent(offer.ephemeral):
            raise WireError("handshake-replay", "this first message has led to a session already")
        pair = self._table.pair(payload.destination, payload.source)
        if pair is None:
            return
        if pair.key != offer.key:
            if pair.key:  # the address was another's before
                self.give_up(pair)
                self._table.close_all(pair)
            pair.key, pair.id = offer.key, node_id(offer.key) or b""
        session = self._repeated(pair, offer) or self._accept(pair, offer, payload, now)
        if not session.response:
            raise WireError("handshake-replay", "this first message has led to a session already")
        self._send(pair.id, EndHandshake(END_RESPONSE, offer.remote_index, session.response), now)

    @staticmethod
    def _repeated(pair: Pair, offer: Offer) -> EndSession | None:
        return next((one for one in pair.sessions if one.ephemeral == offer.ephemeral), None)

    def _accept(self, pair: Pair, offer: Offer, payload: EndPayload, now: float) -> EndSession:
        index = self._table.new_index(self._by_index)
        own = self._payload(pair, pair.id, payload.source, payload.destination)
        body, send, receive = offer.answer(own, index)
        session = EndSession(pair, index, offer.remote_index, send, receive, initiator=False, now=now)
        session.response, session.ephemeral = body, offer.ephemeral
        session.told_mtu, session.caps = payload.path_mtu, payload.caps
        self._table.add(session)
        return session

    # --- the ledger and the clock ----------------------------------------------------------------------------------

    def ledger_told(self, subject: bytes, now: float) -> None:
        """Something of a key (32 bytes) or an address (16)."""
        for pair in tuple(self._attempts.values()):
            if pair.attempt is not None and pair.attempt.initiation is None and subject in (pair.other, pair.other[2:]):
                self._drive(pair, pair.attempt, now)
        for name, waiting in tuple(self._waiting.items()):
            if subject in (waiting.payload.key, waiting.payload.source):
                del self._waiting[name]
                self._judged(waiting, now)

    def _judged(self, waiting: _Waiting, now: float) -> None:
        try:
            self._judge(waiting, now)
        except WireError as error:
            self._env.counters.drop(f"end-{error.code}")

    def tick(self, now: float) -> None:
        for pair in tuple(self._attempts.values()):
            if pair.attempt is not None and pair.attempt.next <= now:
                self._drive(pair, pair.attempt, now)
        for name in [name for name, waiting in self._waiting.items() if waiting.until <= now]:
            del self._waiting[name]
            self._env.counters.drop("end-handshake-unanswered")

    def deadline(self) -> float:
        attempts = [pair.attempt.next for pair in self._attempts.values() if pair.attempt is not None]
        return min([*attempts, *(waiting.until for waiting in self._waiting.values())], default=FOREVER)

    # --- out -------------------------------------------------------------------------------------------------------

    def _payload(self, pair: Pair, other_id: bytes, source: bytes, destination: bytes) -> bytes:
        """What we say of ourselves. The addresses are named as the initiator sees them."""
        mtu = min(self._max_packet(other_id), pair.learned_mtu)
        identity, height = self._env.identity, self._directory.tip.height
        return EndPayload(identity.key, source, destination, self._caps, mtu, height).encode()

    def _send(self, destination: bytes, message: EndHandshake, now: float) -> None:
        packet = Packet(
            next_header=MESHHS,
            source=self._env.identity.id,
            destination=destination,
            payload=message.encode(),
            source_zone=self._env.zone,
            destination_zone=self._env.zone,
        )
        self._send_packet(packet.encode(), now)
