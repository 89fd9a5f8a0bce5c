"""The server's side of SOCKS5 (RFC 1928), CONNECT only, up to the request.

Theory of operation
-------------------
::

    GREETING  --methods-->  REQUEST            if "no authentication" is offered
    GREETING  --methods-->  PASSWORD  -->  REQUEST     if only user name and password (RFC 1929) are
    REQUEST   --CONNECT-->  DONE               the shell connects, and sends ``reply``
    any       --what is wrong-->  FAILED       ``output`` says so where the protocol has words for it

``received`` takes bytes as they come and returns what to send. Any password will do: whoever reaches this port may use
it (it is this machine's), and programs use user names only to keep their connections apart. The client may send ahead;
what follows its request is ``rest``, for the target. At most 1,029 bytes are held before the request is whole.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

VERSION: Final = 5
PASSWORD_VERSION: Final = 1
NO_AUTHENTICATION: Final = 0
PASSWORD: Final = 2
NO_METHOD: Final = 0xFF
CONNECT: Final = 1

_IPV4: Final = 1
_DOMAIN: Final = 3
_IPV6: Final = 4
_SIZES: Final = {_IPV4: 4, _IPV6: 16}
_NOTHING: Final = bytes(6)
"""Bound address and port of a reply that has none: IPv4, 0.0.0.0:0."""


class Code(IntEnum):
    """Reply codes, RFC 1928 §6."""

    SUCCEEDED = 0
    FAILURE = 1
    NOT_ALLOWED = 2
    NETWORK_UNREACHABLE = 3
    HOST_UNREACHABLE = 4
    REFUSED = 5
    TTL_EXPIRED = 6
    COMMAND_NOT_SUPPORTED = 7
    ADDRESS_NOT_SUPPORTED = 8


class State(Enum):
    GREETING = auto()
    PASSWORD = auto()
    REQUEST = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Request:
    """``host``: a domain name as it came, or an IP address as text."""

    host: str
    port: int


class _Incomplete(Exception):  # noqa: N818 - no error: the client goes on
    """More bytes are needed."""


class Conversation:
    """``request`` is set in DONE, ``problem`` (for the log) in FAILED."""

    def __init__(self) -> None:
        self.state = State.GREETING
        self.request: Request | None = None
        self.problem = ""
        self._buffer = b""

    @property
    def rest(self) -> bytes:
        """What came after the request."""
        return self._buffer if self.state is State.DONE else b""

    def received(self, data: bytes) -> bytes:
        """What is to be sent; never raises for what the client says."""
        self._buffer += data
        output = b""
        while self.state in _STEPS:
            try:
                output += _STEPS[self.state](self)
            except _Incomplete:
                break
        return output

    def _greeting(self) -> bytes:
        version, count = self._peek(0, 2)
        if version != VERSION:
            return self._fail(f"version {version}", b"")
        methods = self._peek(2, 2 + count)
        self._take(2 + count)
        if NO_AUTHENTICATION in methods:
            self.state = State.REQUEST
            return bytes((VERSION, NO_AUTHENTICATION))
        if PASSWORD in methods:
            self.state = State.PASSWORD
            return bytes((VERSION, PASSWORD))
        return self._fail("no method in common", bytes((VERSION, NO_METHOD)))

    def _password(self) -> bytes:
        version, name_size = self._peek(0, 2)
        if version != PASSWORD_VERSION:
            return self._fail(f"version {version} of passwords", bytes((PASSWORD_VERSION, 1)))
        (size,) = self._peek(2 + name_size, 3 + name_size)
        self._peek(3 + name_size, 3 + name_size + size)
        self._take(3 + name_size + size)
        self.state = State.REQUEST
        return bytes((PASSWORD_VERSION, 0))

    def _request(self) -> bytes:
        version, command, _, kind = self._peek(0, 4)
        if version != VERSION:
            return self._fail(f"version {version} of a request", reply(Code.FAILURE))
        if command != CONNECT:
            return self._fail(f"command {command}", reply(Code.COMMAND_NOT_SUPPORTED))
        if kind not in (_IPV4, _DOMAIN, _IPV6):
            return self._fail(f"address type {kind}", reply(Code.ADDRESS_NOT_SUPPORTED))
        start = 5 if kind == _DOMAIN else 4
        end = start + (self._peek(4, 5)[0] if kind == _DOMAIN else _SIZES[kind])
        port = int.from_bytes(self._peek(end, end + 2), "big")
        host = _host(kind, self._peek(start, end))
        self._take(end + 2)
        if host is None:
            return self._fail("a domain name that is no text", reply(Code.HOST_UNREACHABLE))
        self.request, self.state = Request(host, port), State.DONE
        return b""

    def _peek(self, start: int, end: int) -> bytes:
        if len(self._buffer) < end:
            raise _Incomplete
        return self._buffer[start:end]

    def _take(self, size: int) -> None:
        self._buffer = self._buffer[size:]

    def _fail(self, problem: str, output: bytes) -> bytes:
        self.state, self.problem, self._buffer = State.FAILED, problem, b""
        return output


_STEPS: Final = {
    State.GREETING: Conversation._greeting,
    State.PASSWORD: Conversation._password,
    State.REQUEST: Conversation._request,
}


def reply(code: Code, bound: tuple[str, int] | None = None) -> bytes:
    """``bound``: address and port of our end of the connection, where there is one."""
    head = bytes((VERSION, code, 0))
    if bound is None:
        return head + bytes((_IPV4,)) + _NOTHING
    address = ip_address(bound[0].partition("%")[0])
    kind = _IPV4 if address.version == 4 else _IPV6
    return head + bytes((kind,)) + address.packed + bound[1].to_bytes(2, "big")


def _host(kind: int, raw: bytes) -> str | None:
    """None for a name that is empty or not ASCII: names in other scripts come as xn-- (RFC 5890)."""
    if kind == _IPV4:
        return str(IPv4Address(raw))
    if kind == _IPV6:
        return str(IPv6Address(raw))
    return raw.decode("ascii") if raw.isascii() and raw else None
