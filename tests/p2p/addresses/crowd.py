"""Addresses for tests, honest and hostile, and a book to put them into."""

from collections.abc import Callable
from random import Random

from meshchain.crypto.address import PREFIX
from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses import AddressBook, group_of

NOW = 1_800_000_000
"""Unix seconds at which tests begin."""
_MAPPED = bytes(10) + b"\xff\xff"


def v4(a: int, b: int, c: int = 0, d: int = 1, port: int = 4444) -> Endpoint:
    return Endpoint(_MAPPED + bytes((a, b, c, d)), port)


def v6(prefix: int, host: int = 1, port: int = 4444) -> Endpoint:
    """In the /32 2001:``prefix``."""
    return Endpoint(b"\x20\x01" + prefix.to_bytes(2, "big") + host.to_bytes(12, "big"), port)


def in_mesh(hop: int, number: int) -> Endpoint:
    """A mesh address that is reached through neighbour ``hop`` (see position_of)."""
    return Endpoint(PREFIX + bytes((hop,)) + number.to_bytes(13, "big"), 4444)


def position_of(ip: bytes) -> bytes:
    """Positions in a mesh where the byte after eeee:: tells the first hop."""
    return group_of(ip, ip[2:3])


def book(seed: int = 1, position: Callable[[bytes], bytes] = group_of) -> AddressBook:
    rng = Random(seed)
    return AddressBook(rng.randbytes(32), rng, position)


def key_of(endpoint: Endpoint) -> bytes:
    return Random(endpoint.ip + endpoint.port.to_bytes(2, "big")).randbytes(32)


def anywhere(rng: Random) -> Endpoint:
    """Some IPv4 address, in any position but those of 10/8, where the honest nodes of these tests are."""
    return v4(rng.randrange(11, 120), rng.randrange(256), rng.randrange(256), rng.randrange(1, 255))


def share(drawn: list[Endpoint], of: set[Endpoint]) -> float:
    return sum(endpoint in of for endpoint in drawn) / len(drawn)
