"""The two hashes against a second implementation written from RFC 7693."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.crypto.hashing import short_hash, tagged_hash
from tests.crypto.models.blake2 import BLAKE2B, BLAKE2S

ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126))


@settings(max_examples=30)
@given(st.text("abcdefgh-", max_size=16), st.lists(st.binary(max_size=150), max_size=3))
@example("a" * 16, [bytes(128)])
@example("", [])
@example("op", [bytes(129)])
def test_tagged_hash_is_personalised_blake2b(tag: str, fields: list[bytes]) -> None:
    assert tagged_hash(tag, *fields) == BLAKE2B.digest(b"".join(fields), tag.encode())


@settings(max_examples=30)
@given(st.text("abcdefgh-", max_size=8), st.binary(max_size=150))
@example("a" * 8, bytes(64))
@example("meshaddr", bytes(32))
def test_short_hash_is_personalised_blake2s(person: str, data: bytes) -> None:
    assert short_hash(person, data) == BLAKE2S.digest(data, person.encode())


def test_known_answers() -> None:
    """Fixed once and for all: these tags make addresses and identities."""
    assert tagged_hash("op", b"field").hex() == BLAKE2B.digest(b"field", b"op").hex()
    assert tagged_hash("key", b"alice") != tagged_hash("entry", b"alice")


def test_tags_that_do_not_fit_are_mistakes() -> None:
    with pytest.raises(ValueError, match="person"):
        tagged_hash("a" * 17)
    with pytest.raises(ValueError, match="person"):
        short_hash("a" * 9, b"")
    with pytest.raises(UnicodeEncodeError):
        tagged_hash("é")
