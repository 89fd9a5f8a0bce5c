"""What an entry of the ledger says in DNS: its hosts' addresses, its ``dns`` records, and how these stand together.

Consensus takes any text for a dns record, so all of it is judged here again: an item that dnspython cannot read is
left out, and where records contradict each other the rules below decide, alike on every node:

- types that the zone makes itself, and types of questions, are left out;
- so are NS and DNAME at a wildcard, which mean nothing that all agree on (RFC 4592 §4.2, §4.4);
- a CNAME or DNAME beside another CNAME or DNAME, or a CNAME beside any other type: the CNAMEs are left out;
- of different TTLs in one set the least counts (RFC 2181 §5.2);
- labels of other bytes than 21 to 7e are left out (``meshchain.dns.names``).

An entry has at most 1,536 bytes of record, so at most some 250 records; reading one costs under 20 ms.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from meshchain.crypto.address import node_address
from meshchain.dns.names import MAX_NAME, Name, is_served, size
from meshchain.dns.types import AAAA, CNAME, DNAME, MADE_BY_THE_ZONE, NS, TXT, A, is_meta
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.record import hosts

Sets: TypeAlias = Mapping[int, tuple[int, tuple[bytes, ...]]]
"""type → (ttl, sorted rdatas); an empty non-terminal has none."""

_PLAIN: Final = re.compile(r"[a-z0-9_*-]{1,63}(\.[a-z0-9_*-]{1,63})*", re.ASCII)
_PLAIN_TEXT: Final = re.compile(r"""[!#-'*-:<-\[\]-~]+( [!#-'*-:<-\[\]-~]+)*""", re.ASCII)
"""Words of printable characters that mean nothing in a zone file."""
_MAX_STRING: Final = 255
_MAX_TTL: Final = 2**31 - 1
_MAX_RDATA: Final = 4096


@dataclass(frozen=True, slots=True)
class Item:
    """One record: ``label`` relative to the name."""

    label: Name
    type: int
    ttl: int
    rdata: bytes


@dataclass(frozen=True, slots=True)
class NameZone:
    """What one name holds. ``nodes``: relative names, () the name itself, empty non-terminals included."""

    nodes: Mapping[Name, Sets]


EMPTY: Final[Sets] = {}


def name_zone(name: str, entry: NameEntry, host_ttl: int) -> NameZone:
    """Of a living entry. ``host_ttl``: seconds that addresses of hosts may be cached."""
    collected: dict[Name, dict[int, tuple[int, set[bytes]]]] = {}
    suffix = (name.encode(), b"mesh")
    for item in (*host_items(entry, host_ttl), *dns_items(entry)):
        if size(item.label + suffix) > MAX_NAME or not is_served(item.label):
            continue
        if item.label[:1] == (b"*",) and item.type in (NS, DNAME):
            continue
        sets = collected.setdefault(item.label, {})
        ttl, rdatas = sets.setdefault(item.type, (item.ttl, set()))
        rdatas.add(item.rdata)
        sets[item.type] = (min(ttl, item.ttl), rdatas)
    nodes: dict[Name, Sets] = {label: left for label, sets in collected.items() if (left := _settled(sets))}
    for label in list(nodes):
        for cut in range(1, len(label) + 1):
            nodes.setdefault(label[cut:], EMPTY)
    nodes.setdefault((), EMPTY)
    return NameZone(nodes)


def host_items(entry: NameEntry, ttl: int) -> Iterator[Item]:
    """AAAA for every host: the claimed address for the name itself, if it has one, else the key's own."""
    for host in hosts(entry.record):
        label, key = host["label"], host["key"]
        if isinstance(label, str) and isinstance(key, bytes):
            address = (entry.address if not label else None) or node_address(key)
            if address is not None:
                yield Item((label.encode(),) if label else (), AAAA, ttl, address)


def dns_items(entry: NameEntry) -> Iterator[Item]:
    """Those of the dns list that can be read."""
    listed = entry.record.get("dns", [])
    for fields in listed if isinstance(listed, list) else ():
        match fields:
            case [str(label), str(kind), int(ttl), str(text)]:
                relative, read = _label(label), read_rdata(kind, text)
                if relative is not None and read is not None:
                    yield Item(relative, read[0], min(ttl, _MAX_TTL), read[1])


def read_rdata(kind: str, text: str) -> tuple[int, bytes] | None:
    """(type, canonical rdata); None for what cannot be served. Names are relative to the root."""
    if kind == "TXT" and _PLAIN_TEXT.fullmatch(text):
        return _plain_text(text.encode().split(b" "))
    try:
        number = int(dns.rdatatype.from_text(kind))
        if is_meta(number) or number in MADE_BY_THE_ZONE:
            return None
        rdata = dns.rdata.from_text(dns.rdataclass.IN, kind, text, dns.name.root, relativize=False)
        wire = rdata.to_digestable(dns.name.root)
    except (dns.exception.DNSException, ValueError, OverflowError, struct.error):
        return None
    return (number, wire) if len(wire) <= _MAX_RDATA else None


def _plain_text(words: list[bytes]) -> tuple[int, bytes] | None:
    """What dnspython makes of a TXT without quotes, at a twentieth of its time: these are most records."""
    if max(map(len, words)) > _MAX_STRING:
        return None
    return TXT, b"".join(bytes((len(word),)) + word for word in words)


def _label(text: str) -> Name | None:
    """None for what is no relative name."""
    if text in ("", "@"):
        return ()
    if _PLAIN.fullmatch(text):
        return tuple(text.encode().split(b"."))
    try:
        name = dns.name.from_text(text, origin=None).canonicalize()
    except (dns.exception.DNSException, ValueError):
        return None
    return None if name.is_absolute() else tuple(name.labels)


def _settled(sets: dict[int, tuple[int, set[bytes]]]) -> Sets:
    """Without contradictions."""
    for alias in (DNAME, CNAME):
        if alias in sets and len(sets[alias][1]) > 1:
            del sets[alias]
    if CNAME in sets and len(sets) > 1:
        del sets[CNAME]
    return {kind: (ttl, tuple(sorted(rdatas))) for kind, (ttl, rdatas) in sets.items()}


GLUE: Final = (A, AAAA)
AT_A_CUT: Final = frozenset((NS, 43))
"""Of a delegation's types, those that this side answers (NS, DS)."""
