"""Authenticated encryption: AES-256-GCM's known answers, and what both ciphers must refuse."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.crypto import Aead, open_aes_gcm, open_chacha20poly1305, seal_aes_gcm, seal_chacha20poly1305
from tests.crypto.both_arms import agreed

Seal = Callable[[bytes, bytes, bytes, bytes], bytes]
Open = Callable[[bytes, bytes, bytes, bytes], bytes | None]
CIPHERS: list[tuple[Seal, Open]] = [
    (seal_aes_gcm, open_aes_gcm),
    (seal_chacha20poly1305, open_chacha20poly1305),
]
KEY, NONCE = bytes(range(32)), bytes(range(12))
each_cipher = pytest.mark.parametrize(("seal", "opened"), CIPHERS, ids=["aes-gcm", "chacha20-poly1305"])


@pytest.mark.parametrize(
    ("key", "nonce", "plaintext", "associated", "sealed"),
    [
        ("00" * 32, "00" * 12, "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            "00" * 32,
            "00" * 12,
            "00" * 16,
            "",
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
        ),
        (
            "feffe9928665731c6d6a8f9467308308" * 2,
            "cafebabefacedbaddecaf888",
            (
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
            ),
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            (
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
            ),
        ),
    ],
    ids=["case 13", "case 14", "case 16"],
)
def test_aes_gcm_cases_of_mcgrew_and_viega(
    each_arm: str, key: str, nonce: str, plaintext: str, associated: str, sealed: str
) -> None:
    """From "The Galois/Counter Mode of Operation", appendix B."""
    arguments = [bytes.fromhex(text) for text in (key, nonce, plaintext, associated)]
    result = seal_aes_gcm(*arguments)
    assert result.hex() == sealed
    assert open_aes_gcm(arguments[0], arguments[1], result, arguments[3]) == arguments[2]


@each_cipher
@settings(max_examples=25)
@given(key=st.binary(min_size=32, max_size=32), plaintext=st.binary(max_size=200), associated=st.binary(max_size=40))
def test_both_arms_seal_alike_and_open(
    seal: Seal, opened: Open, key: bytes, plaintext: bytes, associated: bytes
) -> None:
    sealed = agreed(lambda: seal(key, NONCE, plaintext, associated))
    assert len(sealed) == len(plaintext) + 16
    assert agreed(lambda: opened(key, NONCE, sealed, associated)) == plaintext


@each_cipher
def test_every_change_is_noticed(each_arm: str, seal: Seal, opened: Open) -> None:
    sealed = seal(KEY, NONCE, b"plaintext", b"head")
    for i in range(len(sealed)):
        changed = sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :]
        assert opened(KEY, NONCE, changed, b"head") is None
    assert opened(KEY, NONCE, sealed, b"heap") is None
    assert opened(KEY, NONCE[::-1], sealed, b"head") is None
    assert opened(KEY[::-1], NONCE, sealed, b"head") is None


@each_cipher
def test_any_truncation_opens_to_nothing(each_arm: str, seal: Seal, opened: Open) -> None:
    sealed = seal(KEY, NONCE, b"plaintext", b"")
    assert [opened(KEY, NONCE, sealed[:size], b"") for size in range(len(sealed))] == [None] * len(sealed)


@each_cipher
@pytest.mark.parametrize(("key_size", "nonce_size"), [(16, 12), (24, 12), (0, 12), (32, 0), (32, 8), (32, 24)])
def test_other_sizes_of_key_and_nonce_are_mistakes(
    each_arm: str, seal: Seal, opened: Open, key_size: int, nonce_size: int
) -> None:
    for call in (seal, opened):
        with pytest.raises(ValueError, match="32 and 12 bytes"):
            call(bytes(key_size), bytes(nonce_size), bytes(32), b"")


@settings(max_examples=25)
@given(key=st.binary(min_size=32, max_size=32), plaintext=st.binary(max_size=200), associated=st.binary(max_size=40))
def test_a_kept_key_does_what_the_functions_do(key: bytes, plaintext: bytes, associated: bytes) -> None:
    sealed = seal_chacha20poly1305(key, NONCE, plaintext, associated)
    assert agreed(lambda: Aead(key).seal(NONCE, plaintext, associated)) == sealed
    assert agreed(lambda: Aead(key).open(NONCE, sealed, associated)) == plaintext
    assert agreed(lambda: Aead(key).open(NONCE, sealed, associated + b"x")) is None


def test_a_kept_key_refuses_what_the_functions_refuse(each_arm: str) -> None:
    kept = Aead(KEY)
    sealed = kept.seal(NONCE, b"plaintext", b"head")
    assert [kept.open(NONCE, sealed[:size], b"head") for size in range(len(sealed))] == [None] * len(sealed)
    with pytest.raises(ValueError, match="32 bytes"):
        Aead(bytes(16))
    for size in (0, 8, 11, 24):
        for call in (kept.seal, kept.open):
            with pytest.raises(ValueError, match="12 bytes"):
                call(bytes(size), sealed, b"head")
