"""Pings under way, and answers to those of others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from struct import Struct
from typing import Final

from meshrouter.env import Env
from meshrouter.errors import LocalError, WireError
from meshrouter.tokens import Bucket
from meshrouter.trace.echo import TOKEN_SIZE, Echo, EchoReply
from meshrouter.trace.observe import HOPS
from meshrouter.wire import meshctl
from meshrouter.wire.check import need
from meshrouter.wire.control.message import Message
from meshrouter.wire.packet import MESHCTL

MOST_PINGS: Final = 64
MOST_SIZE: Final = 1280 - 40 - 13
"""Bytes beside the message's own: what passes everywhere, and its reply too."""
ANSWERS_PER_SECOND: Final = 1000.0

_IPV6: Final = Struct(">IHBB16s16s")
_FIRST_WORD: Final = 6 << 28
_ICMPV6: Final = 58
_QUOTE_AT: Final = 48
"""In an ICMPv6 error: IPv6 header 40, type, code, checksum, 4 bytes of its own (RFC 4443 §3)."""
_UNREACHABLE: Final = {1: "unreachable", 2: "too-big", 3: "hop-limit"}
"""By type of ICMPv6 error."""
_TYPES: Final = {Echo.TYPE: Echo, EchoReply.TYPE: EchoReply}

SendSealed = Callable[[bytes, float], None]
"""(IPv6 packet with an own source address, now): into the session of its address pair, as from the TUN."""


@dataclass(frozen=True, slots=True)
class PingResult:
    """``problem`` is empty if a reply came: else timeout, unreachable, too-big or hop-limit."""

    number: int
    target: bytes
    seq: int
    size: int
    problem: str
    round_trip: float | None
    """Seconds."""
    hops_there: int | None
    hops_back: int | None


@dataclass(frozen=True, slots=True)
class _Ping:
    number: int
    source: bytes
    target: bytes
    seq: int
    size: int
    start: float
    deadline: float

    def result(self, problem: str, trip: float | None = None, there: int | None = None, back: int | None = None) \
            -> PingResult:  # fmt: skip
        return PingResult(self.number, self.target, self.seq, self.size, problem, trip, there, back)


class Echoes:
    def __init__(
        self, env: Env, send: SendSealed, on_result: Callable[[PingResult], None], numbers: Iterator[int]
    ) -> None:
        self._env = env
        self._send = send
        self._on_result = on_result
        self._numbers = numbers
        self._pings: dict[bytes, _Ping] = {}
        self._answers = Bucket(ANSWERS_PER_SECOND, ANSWERS_PER_SECOND)

    def ping(self, source: bytes, target: bytes, now: float, *, seq: int, size: int, timeout: float) -> int:
        if len(self._pings) >= MOST_PINGS:
            raise LocalError("busy", f"{MOST_PINGS} pings are under way")
        token = self._env.rng.randbytes(TOKEN_SIZE)
        ping = _Ping(next(self._numbers), source, target, seq, size, now, now + timeout)
        self._pings[token] = ping
        self._send(_packet(source, target, Echo(token, seq & 0xFFFF, bytes(size))), now)
        return ping.number

    def delivered(self, packet: bytes, now: float) -> bool:
        if len(packet) < _IPV6.size or packet[6] not in (MESHCTL, _ICMPV6):
            return False
        if packet[6] == _ICMPV6:
            return self._failed(packet)
        try:
            self._message(packet, now)
        except WireError as error:
            self._env.counters.drop(f"trace-{error.code}")
        return True

    def deadline(self) -> float:
        return min((ping.deadline for ping in self._pings.values()), default=inf)

    def tick(self, now: float) -> None:
        late = [token for token, ping in self._pings.items() if ping.deadline <= now]
        for token in late:
            self._on_result(self._pings.pop(token).result("timeout"))

    def _message(self, packet: bytes, now: float) -> None:
        _, length, _, hop_limit, source, target = _IPV6.unpack_from(packet)
        need(length == len(packet) - _IPV6.size, "echo-size", "the packet is not as long as it says")
        message = meshctl.decode(packet[_IPV6.size :], _TYPES)
        if isinstance(message, EchoReply):
            self._replied(source, target, message, hop_limit, now)
        elif isinstance(message, Echo):
            self._asked(source, target, message, hop_limit, now)

    def _asked(self, source: bytes, target: bytes, echo: Echo, hop_limit: int, now: float) -> None:
        if self._answers.spend(1, now):
            self._send(_packet(target, source, echo.reply(hop_limit)), now)
        else:
            self._env.counters.drop("trace-budget")

    def _replied(self, source: bytes, target: bytes, reply: EchoReply, hop_limit: int, now: float) -> None:
        """The session says who answers; the token, to which question."""
        ping = self._pings.get(reply.token)
        if ping is None or (ping.target, ping.source) != (source, target):
            self._env.counters.drop("trace-unasked")
            return
        del self._pings[reply.token]
        there, back = (HOPS + 1 - left for left in (reply.hop_limit, hop_limit))
        self._on_result(ping.result("", now - ping.start, there, back))

    def _failed(self, error: bytes) -> bool:
        """An ICMPv6 error: ours if it quotes a ping that is under way."""
        quoted = error[_QUOTE_AT:]
        if len(error) < _QUOTE_AT or error[40] not in _UNREACHABLE or quoted[6:7] != bytes((MESHCTL,)):
            return False
        token = quoted[42 : 42 + TOKEN_SIZE]
        ping = self._pings.pop(token, None)
        if ping is not None:
            self._on_result(ping.result(_UNREACHABLE[error[40]]))
        return True


def _packet(source: bytes, target: bytes, message: Message) -> bytes:
    payload = meshctl.encode(message)
    return _IPV6.pack(_FIRST_WORD, len(payload), MESHCTL, HOPS, source, target) + payload
