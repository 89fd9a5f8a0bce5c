"""Numbers of DNS that this server treats specially, and the set of records that travels through it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meshchain.dns.names import Name

A: Final = 1
NS: Final = 2
CNAME: Final = 5
SOA: Final = 6
PTR: Final = 12
TXT: Final = 16
AAAA: Final = 28
DNAME: Final = 39
OPT: Final = 41
DS: Final = 43
RRSIG: Final = 46
NSEC: Final = 47
DNSKEY: Final = 48
NSEC3PARAM: Final = 51
IXFR: Final = 251
AXFR: Final = 252
ANY: Final = 255
MADE_BY_THE_ZONE: Final = frozenset((SOA, RRSIG, NSEC, DNSKEY, 50, NSEC3PARAM, 63))
"""What a record cannot bring: this server makes them (50 is NSEC3, 63 ZONEMD)."""
IN: Final = 1


class Rcode(IntEnum):
    """RFC 1035 §4.1.1, RFC 2136, RFC 6891 (16 BADVERS), RFC 7873 (23 BADCOOKIE)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    NOTAUTH = 9
    BADVERS = 16
    BADCOOKIE = 23


class Ede(IntEnum):
    """Extended errors (RFC 8914 §4)."""

    OTHER = 0
    NOT_READY = 14
    PROHIBITED = 18
    NOT_AUTHORITATIVE = 20
    NO_REACHABLE_AUTHORITY = 22


@dataclass(frozen=True, slots=True)
class RRset:
    """Records of one owner and type. ``rdatas``: canonical wire form (RFC 4034 §6.2), uncompressed, sorted."""

    owner: Name
    type: int
    ttl: int
    rdatas: tuple[bytes, ...]


def is_meta(number: int) -> bool:
    """Types of questions and of packets, never of data (RFC 6895 §3.1)."""
    return number == OPT or 128 <= number <= 255 or number == 0
