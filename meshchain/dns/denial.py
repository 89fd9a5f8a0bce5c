"""Proofs that something is not there: NSEC records made for the question, which say as little as they can.

Chosen: RFC 4470's minimally covering records, not RFC 9824's compact answers. Those need half the signatures but turn
NXDOMAIN into NOERROR for everybody who asks with DO, and older validators (Debian 12's among them) do not know the
type NXNAME that tells the two apart. With RFC 4470 the response code is true for all. NSEC3 would add hashing for
nothing: names of the ledger are public.

Of the two records of an NXDOMAIN the one that denies the wildcard is the same for all names of a zone, and signed once.
"""

from collections.abc import Callable, Iterable

from meshchain.dns.names import Name, after, before, encode, first_below
from meshchain.dns.records import AT_A_CUT, Sets
from meshchain.dns.types import NS, NSEC, RRSIG, RRset


def at(apex: Name, owner: Name, sets: Sets, ttl: int) -> RRset:
    """The name exists and has these types, no others."""
    return nsec(owner, first_below(owner, apex), sets, ttl)


def around(apex: Name, name: Name, node: Callable[[Name], Sets | None], ttl: int) -> RRset:
    """Neither ``name`` nor anything below it exists. ``node`` tells what stands at the record's owner."""
    owner = before(name)
    sets = node(owner) or {}
    return nsec(owner, after(name, apex), at_cut(sets) if owner != apex else sets, ttl)


def at_cut(sets: Sets) -> Sets:
    """Only NS and DS of a delegation are this side's."""
    return {kind: value for kind, value in sets.items() if kind in AT_A_CUT} if NS in sets else sets


def nsec(owner: Name, following: Name, kinds: Iterable[int], ttl: int) -> RRset:
    return RRset(owner, NSEC, ttl, (encode(following) + bitmap({*kinds, RRSIG, NSEC}),))


def bitmap(kinds: Iterable[int]) -> bytes:
    """RFC 4034 §4.1.2."""
    windows: dict[int, bytearray] = {}
    for kind in sorted(kinds):
        bits = windows.setdefault(kind >> 8, bytearray())
        low = kind & 0xFF
        bits.extend(bytes(low // 8 + 1 - len(bits)))
        bits[low // 8] |= 0x80 >> (low % 8)
    return b"".join(bytes((window, len(bits))) + bytes(bits) for window, bits in windows.items())
