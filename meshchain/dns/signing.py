"""The node's zone key and the signatures made with it (RFC 4034, RFC 6605).

One key of ECDSA P-256 (algorithm 13) signs everything, DNSKEY included (flags 257). Signatures are deterministic
(RFC 6979) and valid in windows of a week, so that the same set has the same signature all week: transfers can tell
differences, and what was signed once need not be signed again after the next block.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from meshchain.dns.generations import Generations
from meshchain.dns.names import Name, encode
from meshchain.dns.types import DNSKEY, IN, RRSIG, RRset
from meshchain.files import write_whole
from meshchain.ledger.errors import LocalError

FILE_NAME: Final = "dns.key"
ALGORITHM: Final = 13
FLAGS: Final = 257
DAY: Final = 86400
WINDOW: Final = 7 * DAY
"""Seconds in which signatures stay the same."""
_EARLY: Final = DAY
"""Seconds before its window from which a signature is valid: clocks of others may be behind."""
MOST_SIGNATURES: Final = 65536
"""Kept, 290 bytes each with the digest of what they sign: 19 MB."""


class ZoneKey:
    """Signs. Not thread-safe: one caller at a time."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        numbers = private.public_key().public_numbers()
        point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.dnskey = FLAGS.to_bytes(2, "big") + bytes((3, ALGORITHM)) + point
        self.tag = key_tag(self.dnskey)
        self._algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

    def ds(self, zone: Name) -> bytes:
        """Rdata of the DS for a zone, with SHA-256 (RFC 4509)."""
        digest = hashlib.sha256(encode(zone) + self.dnskey).digest()
        return self.tag.to_bytes(2, "big") + bytes((ALGORITHM, 2)) + digest

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r and s (RFC 6605 §4)."""
        r, s = decode_dss_signature(self._private.sign(data, self._algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Signer:
    """RRSIGs by a key, remembered."""

    def __init__(self, key: ZoneKey, now: Callable[[], float]) -> None:
        """``now``: Unix time."""
        self.key = key
        self._now = now
        self._known: Generations[bytes, bytes] = Generations(MOST_SIGNATURES)

    @property
    def window(self) -> int:
        """Number of the present one."""
        return int(self._now()) // WINDOW

    def dnskey(self, zone: Name, ttl: int) -> RRset:
        return RRset(zone, DNSKEY, ttl, (self.key.dnskey,))

    def rrsig(self, rrset: RRset, source: Name, zone: Name, window: int | None = None) -> RRset:
        """For ``rrset``, which a wildcard ``source`` may have made; of the present window, if none is named."""
        signed = rrset if rrset.owner == source else RRset(source, rrset.type, rrset.ttl, rrset.rdatas)
        head = self._head(signed, zone, self.window if window is None else window)
        records = _canonical(signed)
        index = hashlib.sha256(head + records).digest()
        rdata = self._known.get(index, b"")
        if not rdata:
            rdata = head + self.key.sign(head + records)
            self._known.put(index, rdata)
        return RRset(rrset.owner, RRSIG, rrset.ttl, (rdata,))

    def _head(self, rrset: RRset, zone: Name, window: int) -> bytes:
        """The rdata up to the signature (RFC 4034 §3.1)."""
        labels = len(rrset.owner) - (rrset.owner[0] == b"*")
        begin = window * WINDOW - _EARLY
        end = begin + 2 * WINDOW + 2 * _EARLY
        return (
            rrset.type.to_bytes(2, "big")
            + bytes((ALGORITHM, labels))
            + rrset.ttl.to_bytes(4, "big")
            + (end & 0xFFFFFFFF).to_bytes(4, "big")
            + (begin & 0xFFFFFFFF).to_bytes(4, "big")
            + self.key.tag.to_bytes(2, "big")
            + encode(zone)
        )


def _canonical(rrset: RRset) -> bytes:
    """The records as they are signed (RFC 4034 §3.1.8.1)."""
    fixed = encode(rrset.owner) + rrset.type.to_bytes(2, "big") + IN.to_bytes(2, "big") + rrset.ttl.to_bytes(4, "big")
    return b"".join(fixed + len(rdata).to_bytes(2, "big") + rdata for rdata in rrset.rdatas)


def key_tag(dnskey: bytes) -> int:
    """RFC 4034 appendix B."""
    total = sum(byte << 8 if index % 2 == 0 else byte for index, byte in enumerate(dnskey))
    return (total + (total >> 16)) & 0xFFFF


def load_or_create(datadir: Path) -> ZoneKey:
    """The key in ``<datadir>/dns.key`` (PKCS #8, PEM, mode 600), made if there is none. LocalError "dns-key"."""
    path = datadir / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LocalError("dns-key", f"cannot use the key of the DNS zone {path}: {error}") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise LocalError("dns-key", f"the key of the DNS zone {path} is none of the curve P-256")
    return ZoneKey(private)


def _create(path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(path, pem, 0o600)
