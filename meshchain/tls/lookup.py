"""What the ledger says of a server: its address, and the TLSA records that vouch for it (RFC 7671 §7).

The records stand at ``_port._tcp.BASE``, where BASE is the end of the aliases that start at the name asked for; if
there are none, at ``_port._tcp.NAME``. Both are read by the lookup of the DNS server, so programs that ask it see the
same. BASE is also the name that is said in SNI and looked for in the certificate; an end that is no host name (aliases
may lead to any bytes) cannot be either, so the name asked for takes its place.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from meshchain.crypto.address import PREFIX
from meshchain.dns.lookup import Answer, Zone, lookup, zone_for
from meshchain.dns.names import BadNameError, Name, decode, from_text, to_text
from meshchain.dns.trees import MESH, MeshTree
from meshchain.dns.types import AAAA, CNAME, SOA, Rcode
from meshchain.ledger.chain.view import ChainView
from meshchain.mesh.targets import NoTarget
from meshchain.tls.names import LABEL
from meshchain.tls.tlsa import Tlsa

TYPE: Final = 52
_LEAST: Final = 3
_LABEL: Final = re.compile(LABEL.encode())
"""TLS libraries raise for some others instead of saying them."""
_APEX: Final = {SOA: (0, (b"",))}
"""Nothing at the apex is asked for here; denials bring the SOA along."""


@dataclass(frozen=True, slots=True)
class Server:
    """``address``: 16 bytes. ``base``: like ``alice.mesh``. ``ttl``: seconds, of the records; None without any."""

    address: bytes
    base: str
    records: tuple[Tlsa, ...]
    ttl: int | None = None

    @property
    def ip6(self) -> str:
        return str(IPv6Address(self.address))


def find_server(view: ChainView, host: str, port: int) -> Server:
    """NoTarget: not-mesh, bad-name, name-not-found, host-not-found."""
    zone = Zone(MeshTree(view), _APEX)
    name = _name(host)
    answer = _ask(zone, name, AAAA)
    base = next((_target(part.rrset.rdatas[0]) for part in reversed(answer.answer) if part.rrset.type == CNAME), name)
    address = next((rdata for rdata in _rdatas(answer, AAAA) if rdata.startswith(PREFIX)), None)
    if address is None:
        absent = answer.rcode is Rcode.NXDOMAIN
        raise NoTarget(
            "name-not-found" if absent else "host-not-found",
            f"{_text(base)} {'does not exist' if absent else 'has no address in the mesh'}",
        )
    owners = [owner for owner in dict.fromkeys((base, name)) if all(map(_LABEL.fullmatch, owner))]
    if not owners:
        raise NoTarget("bad-name", f"{_text(name)} is no name that a certificate can be for")
    for owner in owners:
        found = _ask(zone, (f"_{port}".encode(), b"_tcp", *owner), TYPE)
        if records := _rdatas(found, TYPE):
            ttl = min(part.rrset.ttl for part in found.answer)
            return Server(address, _text(owner), tuple(_record(rdata) for rdata in records), ttl)
    return Server(address, _text(owners[0]), ())


def _name(host: str) -> Name:
    try:
        name = from_text(host.lower())
    except BadNameError as error:
        raise NoTarget("bad-name", str(error)) from None
    if name[-1:] != MESH or len(name) < 2:
        raise NoTarget("not-mesh", f"{host[:255]!r} does not end in .mesh")
    return name


def _ask(zone: Zone, name: Name, kind: int) -> Answer:
    return lookup(lambda other: zone_for((zone,), other), name, kind, prove=False) or Answer(Rcode.NXDOMAIN)


def _rdatas(answer: Answer, kind: int) -> list[bytes]:
    return [rdata for part in answer.answer if part.rrset.type == kind for rdata in part.rrset.rdatas]


def _record(rdata: bytes) -> Tlsa:
    """dnspython has read it, so it is at least three bytes."""
    usage, selector, matching_type = rdata[:_LEAST]
    return Tlsa(usage, selector, matching_type, rdata[_LEAST:])


def _target(rdata: bytes) -> Name:
    return decode(rdata, 0)[0]


def _text(name: Name) -> str:
    return to_text(name).removesuffix(".")
