"""Bytes in, bytes out: one server for the zones of a ledger, with a memory of the answers it has given.

Theory of operation. ``publish`` hands over a tip: the trees of its state, the serial of its zones, whether the node is
synced. All that was remembered of the former tip is forgotten, but signatures, which depend on what they sign alone.

Answers by UDP are remembered whole, under the bytes of the question after its id: to answer again is to look up and to
put an id before (``hot``; the shell does that without a call). What is remembered is bounded by count and by size; what
carries a cookie is never remembered, since no client asks it twice. All else passes through ``udp`` or ``stream``, one
call at a time: read the question, find the answer, sign, write, under a lock, since UDP, TCP and HTTPS have a thread
each.

Not synced: SERVFAIL with extended error 14 for every name of ours, never old data.
"""

import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

from meshchain.dns import query as reading
from meshchain.dns import transfer
from meshchain.dns.cookies import CLIENT_SIZE, Cookies
from meshchain.dns.generations import Generations
from meshchain.dns.history import Snapshot
from meshchain.dns.lookup import Answer, Part, Zone, lookup, zone_for
from meshchain.dns.message import MOST_STREAM, Extended, Reply
from meshchain.dns.query import Malformed, Query, Unanswerable
from meshchain.dns.ratelimit import Leave, RateLimit
from meshchain.dns.signing import Signer
from meshchain.dns.trees import APEX_TTL, DerivedNames, MeshTree, ReverseTree, apex_sets
from meshchain.dns.types import AXFR, DNSKEY, IXFR, Ede, Rcode, RRset

MOST_ANSWERS: Final = 1 << 18
"""Remembered; those of 250 bytes at most, so with keys and tables 105 MB at the very most, 65 MB as a rule."""
_MOST_REMEMBERED: Final = 250
MOST_SIGNED: Final = 1 << 14
"""Longer ones, signed as a rule: up to 1,232 bytes, 23 MB."""
FORWARD: Final = b""
"""Instead of an answer: the name is not ours, ask the resolvers that the operator named."""


class Engine:
    """``now``: Unix time; ``steady``: a clock that nobody sets; ``forwards``: other names are asked elsewhere."""

    def __init__(
        self,
        signer: Signer,
        snapshot: Snapshot,
        *,
        secret: bytes,
        now: Callable[[], float],
        steady: Callable[[], float],
        forwards: bool = False,
    ) -> None:
        self.signer = signer
        self.forwards = forwards
        self.hot: dict[bytes, bytes] = {}
        """The youngest remembered answers, for the shell."""
        self._now = now
        self._steady = steady
        self._cookies = Cookies(secret)
        self._rates = RateLimit()
        self._derived = DerivedNames()
        self._lock = threading.Lock()
        self._short: Generations[bytes, bytes] = Generations(MOST_ANSWERS)
        self._long: Generations[bytes, bytes] = Generations(MOST_SIGNED)
        self.snapshot = snapshot
        self.zones: tuple[Zone, ...] = ()
        self._adopt(snapshot)

    def publish(self, snapshot: Snapshot) -> None:
        """From now on answer from this tip. From any thread."""
        with self._lock:
            self._adopt(snapshot)

    def udp(self, packet: bytes, address: str) -> bytes | None:
        """An answer, None for none, or FORWARD."""
        with self._lock:
            local = is_local(address)
            known = self._recall(packet) if local else None
            return packet[:2] + known if known is not None else self._fresh(packet, address, local=local)

    def stream(self, packet: bytes, address: str) -> bytes | None:
        """The same for TCP and HTTPS: up to 65,535 bytes, nothing limited."""
        with self._lock:
            return self._answered(packet, address, MOST_STREAM)[0]

    # --- under the lock ------------------------------------------------------------------------------------

    def _adopt(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        trees = MeshTree(snapshot.view), ReverseTree(snapshot.view, self._derived)
        self.zones = tuple(Zone(tree, self._apex(tree, snapshot.serial)) for tree in trees)
        self._window = self.signer.window
        for memory in (self._short, self._long):
            memory.clear()
        self.hot = self._short.young

    def _apex(self, tree: MeshTree | ReverseTree, serial: int) -> dict[int, tuple[int, tuple[bytes, ...]]]:
        return {**apex_sets(tree, serial), DNSKEY: (APEX_TTL, (self.signer.key.dnskey,))}

    def _recall(self, packet: bytes) -> bytes | None:
        question = packet[2:]
        known = self._short.get(question, b"") or self._long.get(question, b"")
        self.hot = self._short.young
        return known or None

    def _fresh(self, packet: bytes, address: str, *, local: bool) -> bytes | None:
        answer, query = self._answered(packet, address, None)
        if not answer or query is None:
            return answer
        cookie = query.edns.cookie if query.edns else b""
        if local and not cookie:
            self._remember(packet, answer)
        if not local and not self._cookies.verify(cookie, address, self._now()):
            match self._rates.ask(address, self._steady()):
                case Leave.DROP:
                    return None
                case Leave.TRUNCATE:
                    return packet[:2] + self._reply(query, Rcode.NOERROR, b"").truncated()
        return answer

    def _remember(self, packet: bytes, answer: bytes) -> None:
        if len(packet) + len(answer) <= _MOST_REMEMBERED:
            self._short.put(packet[2:], answer[2:])
            self.hot = self._short.young
        else:
            self._long.put(packet[2:], answer[2:])

    def _answered(self, packet: bytes, address: str, limit: int | None) -> tuple[bytes | None, Query | None]:
        try:
            query = reading.parse(packet)
        except Unanswerable:
            return None, None
        except Malformed as fault:
            flags = int.from_bytes(packet[2:4], "big")
            reply = Reply(flags=flags, question=fault.question, rcode=fault.rcode, edns=None)
            return packet[:2] + reply.encode(MOST_STREAM), None
        given = query.edns.cookie[:CLIENT_SIZE] if query.edns else b""
        cookie = self._cookies.make(given, address, self._now()) if given else b""
        made = self._judge(query, address, cookie, by_udp=limit is None)
        if made is None:
            return FORWARD, query
        return packet[:2] + made.encode(query.udp_size if limit is None else limit), query

    def _judge(self, query: Query, address: str, cookie: bytes, *, by_udp: bool) -> Reply | None:
        """None: forward it."""
        if query.edns is not None and query.edns.version > 0:
            return self._reply(query, Rcode.BADVERS, cookie)
        zone = zone_for(self.zones, query.name) if reading.is_internet(query) else None
        if zone is None:
            if self.forwards and is_local(address) and query.flags & reading.RD and reading.is_internet(query):
                return None
            why = Extended(Ede.NOT_AUTHORITATIVE, "only names in .mesh and addresses in eeee::/16 are answered here")
            return self._reply(query, Rcode.REFUSED, cookie, why)
        if not self.snapshot.synced:
            why = Extended(Ede.NOT_READY, f"the ledger is not synced: {self.snapshot.progress}"[:200])
            return self._reply(query, Rcode.SERVFAIL, cookie, why)
        if query.type in (AXFR, IXFR):
            news = self._news(query, zone, cookie) if by_udp and is_local(address) else None
            why = Extended(Ede.PROHIBITED, "transfers go to this machine only, by TCP, from the zone's top")
            return news or self._reply(query, Rcode.REFUSED, cookie, why)
        return self._data(query, cookie)

    def _news(self, query: Query, zone: Zone, cookie: bytes) -> Reply | None:
        """An IXFR by UDP (RFC 1995 §2): what has changed, or the SOA alone if that is too long."""
        edition = transfer.edition_of(zone, self.snapshot, self.signer) if query.name == zone.name else None
        if query.type != IXFR or edition is None:
            return None
        reply = self._reply(query, Rcode.NOERROR, cookie)
        reply.authoritative, reply.answer = True, transfer.brief(query, edition)
        if len(reply.encode(MOST_STREAM)) + 2 > query.udp_size:
            reply.answer = reply.answer[:1]
        return reply

    def _data(self, query: Query, cookie: bytes) -> Reply:
        if self.signer.window != self._window:
            self._adopt(self.snapshot)
        found = lookup(lambda name: zone_for(self.zones, name), query.name, query.type, prove=query.do)
        found = found or Answer(Rcode.REFUSED)
        reply = self._reply(query, found.rcode, cookie)
        reply.authoritative = found.authoritative
        reply.answer, reply.authority, reply.additional = (
            self.signed(section) if query.do else [part.rrset for part in section]
            for section in (found.answer, found.authority, found.additional)
        )
        return reply

    def signed(self, parts: Sequence[Part]) -> list[RRset]:
        """Each set followed by its signature, if it has one."""
        result: list[RRset] = []
        for part in parts:
            result.append(part.rrset)
            if part.source is not None:
                result.append(self.signer.rrsig(part.rrset, part.source, part.zone))
        return result

    def _reply(self, query: Query, rcode: Rcode, cookie: bytes, extended: Extended | None = None) -> Reply:
        return Reply(
            flags=query.flags,
            question=query.question,
            rcode=rcode,
            edns=query.edns,
            recursion=self.forwards,
            cookie=cookie,
            extended=extended,
        )


def is_local(address: str) -> bool:
    """Loopback: the machine's own programs."""
    if address == "127.0.0.1":
        return True
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return (mapped or parsed).is_loopback
