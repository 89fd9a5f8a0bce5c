"""Just enough DER (X.690) to cut a certificate's parts out as they were sent, byte for byte."""

from typing import Final

SEQUENCE: Final = 0x30
VERSION: Final = 0xA0


class DerError(ValueError):
    """The bytes are no DER of the expected form."""


def element(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start of the content and end of the element at ``at``; lengths of at most 4 bytes."""
    if at + 2 > len(data):
        raise DerError("it ends early")
    tag, size, start = data[at], data[at + 1], at + 2
    if size >= 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or start + count > len(data):
            raise DerError("a length is malformed")
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + size > len(data):
        raise DerError("it ends early")
    return tag, start, start + size


def public_key_of(tbs: bytes) -> bytes:
    """SubjectPublicKeyInfo in a TBSCertificate (RFC 5280 §4.1): what follows the subject."""
    tag, at, _ = element(tbs, 0)
    if tag != SEQUENCE:
        raise DerError("a TBSCertificate is a sequence")
    if element(tbs, at)[0] == VERSION:
        at = element(tbs, at)[2]
    for _ in ("serial", "signature", "issuer", "validity", "subject"):
        at = element(tbs, at)[2]
    return tbs[at : element(tbs, at)[2]]
