"""Certificates put together byte by byte, with sound signatures: what no library would make, anybody can send.

Everything is the same in every run: keys are numbers, and Ed25519 signatures follow from key and content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

INTEGER, BITS, OCTETS, OID, UTF8, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x0C, 0x30, 0x31
UTC_TIME: Final = 0x17
DNS_NAME: Final = 0x82
"""GeneralName: dNSName."""
_ED25519: Final = bytes.fromhex("300506032b6570")
_DATES: Final = (b"260101000000Z", b"270101000000Z")

BASIC, NAMES, CONSTRAINTS = (bytes((0x55, 0x1D, last)) for last in (19, 17, 30))
USAGE, PURPOSES, POLICIES, KEY_ID, ISSUER_ID = (bytes((0x55, 0x1D, last)) for last in (15, 37, 32, 14, 35))


def der(tag: int, *contents: bytes) -> bytes:
    """One element."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


@cache
def signing_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


@cache
def public_key(number: int) -> bytes:
    """SubjectPublicKeyInfo."""
    return signing_key(number).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def common_name(text: str) -> bytes:
    return der(SEQUENCE, der(SET, der(SEQUENCE, bytes.fromhex("0603550403"), der(UTF8, text.encode()))))


@dataclass(frozen=True, slots=True)
class Extension:
    """``kind``: content of the object identifier. ``value``: the DER that the octets hold, or not DER."""

    kind: bytes
    value: bytes
    critical: bool = False

    def encode(self) -> bytes:
        flag = b"\x01\x01\xff" if self.critical else b""
        return der(SEQUENCE, der(OID, self.kind), flag, der(OCTETS, self.value))


@dataclass(frozen=True, slots=True)
class Forged:
    """``subject`` and ``issuer`` are names in DER, ``key`` and ``signer`` numbers of keys."""

    subject: bytes
    issuer: bytes
    key: int
    signer: int
    extensions: Sequence[Extension] = ()
    dates: tuple[bytes, bytes] = _DATES
    serial: int = 1

    def tbs(self) -> bytes:
        """What is signed."""
        number = self.serial.to_bytes(self.serial.bit_length() // 8 + 1, "big")
        version, serial = der(0xA0, der(INTEGER, b"\x02")), der(INTEGER, number)
        validity = der(SEQUENCE, *(der(UTC_TIME, date) for date in self.dates))
        more = der(0xA3, der(SEQUENCE, *(e.encode() for e in self.extensions))) if self.extensions else b""
        parts = (version, serial, _ED25519, self.issuer, validity, self.subject, public_key(self.key), more)
        return der(SEQUENCE, *parts)

    def encode(self) -> bytes:
        return signed(self.tbs(), self.signer)


def signed(tbs: bytes, signer: int) -> bytes:
    """A certificate of any bytes."""
    return der(SEQUENCE, tbs, _ED25519, der(BITS, b"\0", signing_key(signer).sign(tbs)))


def authority(path_length: int | None = None) -> Extension:
    limit = b"" if path_length is None else der(INTEGER, bytes((path_length,)))
    return Extension(BASIC, der(SEQUENCE, b"\x01\x01\xff", limit), critical=True)


def for_names(*names: str) -> Extension:
    return Extension(NAMES, der(SEQUENCE, *(der(DNS_NAME, name.encode()) for name in names)))


def constraints(permitted: Sequence[str] = (), excluded: Sequence[str] = ()) -> Extension:
    """Of DNS names."""
    trees = [
        der(tag, *(der(SEQUENCE, der(DNS_NAME, name.encode())) for name in names))
        for tag, names in ((0xA0, permitted), (0xA1, excluded))
        if names
    ]
    return Extension(CONSTRAINTS, der(SEQUENCE, *trees), critical=True)
