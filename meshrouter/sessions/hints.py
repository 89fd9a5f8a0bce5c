"""What anybody may say of our sessions: that one is not known, that a packet could not go on.

None of it is sealed: routers on the way have no keys of ours. So it is heard only if it quotes what few can know, the
index and a recent counter of a session of ours and the id of its other end; and what it can do at most is little:

    NOSESSION            one new handshake in 5 s, while the old session is used on
    ERR, too big         a smaller path MTU, never below 1280, for ten minutes; of a super-packet, also that such
                         are split, as long
    ERR, anything else   an ICMPv6 error about a packet that was really sent; the kernel decides what to make of it
"""

from typing import Final

from meshchain.crypto.address import PREFIX
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.sessions.complaints import HOPS, NO_ROUTE, PROHIBITED, Complaints
from meshrouter.sessions.endsession import EndSession
from meshrouter.sessions.handshakes import Handshakes
from meshrouter.sessions.table import Table
from meshrouter.wire.meshctl import Error, ErrorCode
from meshrouter.wire.nosession import NoSession
from meshrouter.wire.packet import DESTINATION, MESHSEC, NEXT_HEADER_AT, PACKET_SIZE, SOURCE
from meshrouter.wire.sec import CIPHERTEXT_AT, SEC

HANDSHAKE_EVERY: Final = 5.0
"""Seconds between two handshakes that a NOSESSION can cause."""
LENGTH: Final = slice(4, 6)
NO_LENGTH: Final = bytes(2)
"""What a super-packet in a train says of its length."""
_KINDS: Final = {
    ErrorCode.NO_ROUTE: NO_ROUTE,
    ErrorCode.TTL: HOPS,
    ErrorCode.POLICY: PROHIBITED,
    ErrorCode.GUEST: PROHIBITED,
}


class Hints:
    """Each method raises WireError for what is not believed."""

    def __init__(self, env: Env, table: Table, handshakes: Handshakes, complaints: Complaints) -> None:
        self._own_id = env.identity.id
        self._table = table
        self._handshakes = handshakes
        self._complaints = complaints

    def nosession(self, source: bytes, hint: NoSession, now: float) -> None:
        """``source``: id that the packet bears."""
        session = self._table.by_remote.get((source, hint.index))
        if session is None or session.sent(hint.counter) is None:
            raise WireError("nosession-quote", "no such packet was sent")
        pair = session.pair
        if session is pair.current and now >= pair.hinted + HANDSHAKE_EVERY:
            pair.hinted = now
            self._handshakes.begin(pair, now)

    def error(self, source: bytes, error: Error, now: float) -> None:
        """``source``: id that the packet bears, of the router that says so."""
        session, counter = self._quoted(error.quote)
        if error.code is ErrorCode.TOO_BIG:
            session.pair.learn_mtu(error.mtu, now)
            if error.quote[LENGTH] == NO_LENGTH:
                session.pair.learn_no_trains(now)
            return
        packet = session.quoted(counter)
        if packet:
            self._complaints.unreachable(_KINDS[error.code], packet, now, PREFIX + source)

    def _quoted(self, quote: bytes) -> tuple[EndSession, int]:
        if len(quote) < CIPHERTEXT_AT or quote[NEXT_HEADER_AT] != MESHSEC or quote[SOURCE] != self._own_id:
            raise WireError("error-quote", "what it quotes is not of a session of ours")
        index, low = SEC.unpack_from(quote, PACKET_SIZE)
        session = self._table.by_remote.get((quote[DESTINATION], index))
        counter = None if session is None else session.sent(low)
        if session is None or counter is None:
            raise WireError("error-quote", "no such packet was sent")
        return session, counter
