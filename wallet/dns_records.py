"""DNS records of a name: checked with dnspython before they are signed, since the ledger takes any text.

A record stands in the name's record as [label, type, ttl, text]: label relative to the name ("" for the name
itself), type in capitals, ttl in seconds, text in zone-file form. Addresses of the name's own hosts come from
``hosts`` and need no records.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.rpc.client.errors import WrongUse
from wallet.errors import RefusalError

if TYPE_CHECKING:
    import dns.rdatatype

    from wallet.dns_watch import WatchedTokenizer

Entry: TypeAlias = tuple[str, str, int, str]
"""label, type, ttl, text."""

DEFAULT_TTL: Final = 3600
MAX_TTL: Final = 2**31 - 1
"""RFC 2181 §8."""
MADE_BY_THE_ZONE: Final = frozenset(("SOA", "DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD"))
"""Types that the resolver makes itself when it builds and signs the zone."""
_TXT_CHUNK: Final = 255


def entries(record: Record) -> list[Entry]:
    """The record's DNS entries; items of another shape (a later program's) are left out."""
    listed = record.get("dns", [])
    return [entry for item in listed if (entry := _entry(item))] if isinstance(listed, list) else []


def parse(name: str, label: str, kind: str, ttl: int, text: str) -> Entry:
    """A checked entry in canonical form; WrongUse: dns-label, dns-type, dns-ttl, dns-value (with the field)."""
    if not 0 <= ttl <= MAX_TTL:
        raise WrongUse("dns-ttl", f"a TTL is 0 to {MAX_TTL} seconds, not {ttl}", ttl=ttl)
    rdtype = _type(kind)
    return _label(name, label), _type_text(rdtype), ttl, _value(rdtype, text)


def put(record: Record, entry: Entry, *, keep: bool) -> Record:
    """``record`` with ``entry`` in the place of those of the same label and type (``keep``: beside them)."""
    label, kind, _ttl, text = entry
    others = [e for e in entries(record) if not (_same(e, label, kind) and (not keep or e[3] == text))]
    _check_alias(record, others, entry)
    return _with_entries(record, [*others, entry])


def drop(record: Record, label: str, kind: str, text: str | None) -> Record:
    """``record`` without the entries of ``label`` and ``kind`` (only the one with ``text``, if given).

    RefusalError (dns-not-found) if there is none.
    """
    kept = [e for e in entries(record) if not (_same(e, label, kind) and text in (None, e[3]))]
    if len(kept) == len(entries(record)):
        have = ", ".join(f"{e[0] or '@'} {e[1]} {e[3]}" for e in kept) or "none"
        wanted = " ".join(filter(None, (label or "@", kind, text)))
        raise RefusalError("dns-not-found", f"there is no record {wanted}; there are: {have}")
    return _with_entries(record, kept)


def label_and_type(name: str, label: str, kind: str) -> tuple[str, str]:
    """What ``parse`` would make of the two; the same errors."""
    return _label(name, label), _type_text(_type(kind))


def canonical_value(kind: str, text: str) -> str:
    return _value(_type(kind), text)


def _entry(item: Value) -> Entry | None:
    match item:
        case [str(label), str(kind), int(ttl), str(text)]:
            return label, kind, ttl, text
    return None


def _with_entries(record: Record, listed: list[Entry]) -> Record:
    rest: Record = {key: value for key, value in record.items() if key != "dns"}
    return {**rest, "dns": [list(entry) for entry in listed]} if listed else rest


def _same(entry: Entry, label: str, kind: str) -> bool:
    return entry[0] == label and entry[1] == kind


def _check_alias(record: Record, others: list[Entry], entry: Entry) -> None:
    """A CNAME stands alone at its label (RFC 1034 §3.6.2), and the name itself always has other records."""
    label, kind = entry[:2]
    if kind == "CNAME" and not label:
        raise WrongUse("dns-cname", "the name itself cannot be a CNAME: it has records of its own. Use a --label")
    beside = [e[1] for e in others if e[0] == label]
    if kind == "CNAME":
        beside += ["AAAA (a host)" for host in _hosts(record) if host == label]
    if beside and "CNAME" in (kind, *beside):
        raise RefusalError(
            "dns-cname", f"a CNAME stands alone, but {label!r} also has {', '.join(sorted(set(beside)))}"
        )


def _hosts(record: Record) -> Iterator[str]:
    listed = record.get("hosts", [])
    for host in listed if isinstance(listed, list) else []:
        if isinstance(host, dict):
            yield str(host.get("label"))


def _type(kind: str) -> "dns.rdatatype.RdataType":
    import dns.exception
    import dns.rdatatype

    try:
        rdtype = dns.rdatatype.from_text(kind)
    except (dns.exception.DNSException, ValueError):
        raise WrongUse(
            "dns-type", f"{kind!r} is no record type; known are A, AAAA, TXT, MX, SRV, … and TYPE1234"
        ) from None
    if dns.rdatatype.is_metatype(rdtype) or kind.upper() in MADE_BY_THE_ZONE:
        raise WrongUse("dns-type", f"{kind.upper()} cannot be set: the resolver makes it, or it is no data at all")
    return rdtype


def _type_text(rdtype: "dns.rdatatype.RdataType") -> str:
    import dns.rdatatype

    return dns.rdatatype.to_text(rdtype)


def _label(name: str, text: str) -> str:
    import dns.exception
    import dns.name

    if text in ("", "@"):
        return ""
    try:
        label = dns.name.from_text(text, origin=None, idna_codec=dns.name.IDNA_2008_Practical)
        if not label.is_absolute():
            label.concatenate(dns.name.from_text(f"{name}.mesh."))  # raises if the whole is too long
    except (dns.exception.DNSException, ValueError) as error:
        raise WrongUse("dns-label", f"--label {text!r}: {error}") from None
    if label.is_absolute():
        raise WrongUse("dns-label", f"--label {text!r} ends with a dot: labels are relative to {name}.mesh")
    return label.canonicalize().to_text()


def _value(rdtype: "dns.rdatatype.RdataType", text: str) -> str:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass

    from wallet.dns_watch import WatchedTokenizer

    if _type_text(rdtype) in ("TXT", "SPF") and not text.startswith('"'):
        text = _quoted(text)
    tokens = WatchedTokenizer(text)
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, tokens)
        rdata.to_wire(origin=dns.name.root)
    except (dns.exception.DNSException, ValueError, OverflowError) as error:
        raise _bad_value(rdtype, tokens, " ".join(str(error).split())) from None
    return rdata.to_text()


def _bad_value(rdtype: "dns.rdatatype.RdataType", tokens: "WatchedTokenizer", reason: str) -> WrongUse:
    kind, fields = _type_text(rdtype), _fields(rdtype)
    missing = tokens.ended and "expect" in reason
    position = tokens.position + 1 if missing else tokens.position
    field = fields[position - 1] if 0 < position <= len(fields) else None
    where = f"field {position}" + (f" ({field})" if field else "")
    what = f"{where} is missing" if missing else f"{where}, {tokens.last!r}: {reason}"
    return WrongUse("dns-value", f"{kind} value: {what}", type=kind, field=field, position=position)


def _fields(rdtype: "dns.rdatatype.RdataType") -> list[str]:
    """The type's fields in the order of its text form, as dnspython's classes list them."""
    import dns.rdata
    import dns.rdataclass

    rdata_class: Any = dns.rdata.get_rdata_class(dns.rdataclass.IN, rdtype)  # type: ignore[no-untyped-call]
    return list(getattr(rdata_class, "__slots__", ()))


def _quoted(text: str) -> str:
    """Character-strings of at most 255 bytes (RFC 1035 §3.3.14), so that spaces and quotes need no care."""
    raw = text.encode()
    chunks = [raw[at : at + _TXT_CHUNK] for at in range(0, len(raw), _TXT_CHUNK)] or [b""]
    return " ".join('"' + "".join(_escaped(byte) for byte in chunk) + '"' for chunk in chunks)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}"
