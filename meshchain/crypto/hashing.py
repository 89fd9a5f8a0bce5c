"""The two hashes of the protocol; standard library only (RFC 7693)."""

from functools import lru_cache
from hashlib import blake2b, blake2s


@lru_cache(maxsize=64)
def _person(tag: str) -> bytes:
    return tag.encode("ascii").ljust(blake2b.PERSON_SIZE, b"\0")


def tagged_hash(tag: str, *fields: bytes) -> bytes:
    """H(tag, …): BLAKE2b-256 over the plain concatenation of ``fields``, personalised by ``tag``.

    ``tag`` is ASCII, at most 16 bytes, zero-padded. Fields are of fixed length, at most the last is
    variable, so that the concatenation stays injective. Returns 32 bytes.
    """
    return blake2b(b"".join(fields), digest_size=32, person=_person(tag)).digest()


def short_hash(person: str, data: bytes) -> bytes:
    """BLAKE2s-256 of ``data`` with ``person`` (ASCII, at most 8 bytes, zero-padded); 32 bytes."""
    return blake2s(data, person=person.encode("ascii").ljust(blake2s.PERSON_SIZE, b"\0")).digest()
