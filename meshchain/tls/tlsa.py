"""TLSA records (RFC 6698 §2): which of them count before any certificate is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meshchain.tls.certificates import Certificate, is_public_key

PKIX_TA: Final = 0
PKIX_EE: Final = 1
DANE_TA: Final = 2
DANE_EE: Final = 3
CERT: Final = 0
SPKI: Final = 1
FULL: Final = 0
SHA256: Final = 1
SHA512: Final = 2
_SIZES: Final = {SHA256: 32, SHA512: 64}
STRENGTH: Final = (SHA512, SHA256)
"""Digests, the strongest first (RFC 7671 §9 leaves the order to the client)."""
MOST: Final = 64
"""Records looked at; a record of the ledger has room for fewer that could be of use."""
_USAGES: Final = ("PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE")


@dataclass(frozen=True, slots=True)
class Tlsa:
    """The four fields; ``data`` is a digest, or with matching type 0 the whole certificate or key in DER."""

    usage: int
    selector: int
    matching_type: int
    data: bytes

    def __str__(self) -> str:
        """Zone-file form."""
        return f"{self.usage} {self.selector} {self.matching_type} {self.data.hex()}"

    @property
    def wants_roots(self) -> bool:
        """Usages 0 and 1 stand on the public certificate authorities."""
        return self.usage in (PKIX_TA, PKIX_EE)


def parse(text: str) -> Tlsa:
    """Inverse of ``str``; hex may be in pieces and in capitals. ValueError with what is wrong."""
    fields = text.split(maxsplit=3)
    if len(fields) < 4:
        raise ValueError("a TLSA record is USAGE SELECTOR MATCHING-TYPE HEX")
    numbers = [int(field) for field in fields[:3] if field.isascii() and field.isdecimal() and len(field) <= 3]
    if len(numbers) < 3 or max(numbers) > 255:
        raise ValueError("usage, selector and matching type of a TLSA record are 0 to 255")
    usage, selector, matching_type = numbers
    return Tlsa(usage, selector, matching_type, bytes.fromhex("".join(fields[3].split())))


def problem(record: Tlsa, *, roots: bool) -> str | None:
    """Why the record is unusable (RFC 7671 §10.3, RFC 6698 §4.1), or None. ``roots``: there are PKIX roots."""
    if record.usage not in (PKIX_TA, PKIX_EE, DANE_TA, DANE_EE):
        return f"usage {record.usage} is unknown"
    if record.selector not in (CERT, SPKI):
        return f"selector {record.selector} is unknown"
    if record.wants_roots and not roots:
        return f"usage {record.usage} ({_USAGES[record.usage]}) asks for a public authority, and none serves .mesh"
    return _data_problem(record)


def _data_problem(record: Tlsa) -> str | None:
    if record.matching_type == FULL:
        whole = is_public_key(record.data) if record.selector == SPKI else Certificate.read(record.data) is not None
        return None if whole else f"its data is no {'public key' if record.selector == SPKI else 'certificate'} in DER"
    size = _SIZES.get(record.matching_type)
    if size is None:
        return f"matching type {record.matching_type} is unknown"
    return None if len(record.data) == size else f"its digest has {len(record.data)} bytes instead of {size}"


def usable(records: Sequence[Tlsa], *, roots: bool) -> list[Tlsa]:
    """Those that count, each once: without unusable ones, and without digests that a stronger one outdoes."""
    known = [r for r in dict.fromkeys(records[:MOST]) if problem(r, roots=roots) is None]
    return [record for record in known if not outdone(record, known)]


def outdone(record: Tlsa, known: Sequence[Tlsa]) -> bool:
    """Digest agility (RFC 7671 §9): a stronger digest stands beside it, for the same usage and selector."""
    if record.matching_type == FULL:
        return False
    stronger = STRENGTH[: STRENGTH.index(record.matching_type)]
    return any((r.usage, r.selector) == (record.usage, record.selector) and r.matching_type in stronger for r in known)
