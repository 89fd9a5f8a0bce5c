"""Every Wycheproof test of the primitives in use, on both arms."""

from hashlib import sha256

import pytest

from meshchain.crypto import (
    is_ecdsa_public_key,
    is_ed25519_public_key,
    open_chacha20poly1305,
    seal_chacha20poly1305,
    verify_ecdsa,
    verify_ed25519,
    x25519,
)
from tests.crypto.wycheproof import Case, cases

pytestmark = pytest.mark.usefixtures("each_arm")


def _der_integer(data: bytes) -> tuple[int, bytes] | None:
    """A strict DER INTEGER that is not negative, and what follows it."""
    if len(data) < 3 or data[0] != 2 or not 1 <= data[1] <= min(33, len(data) - 2):
        return None
    body, rest = data[2 : 2 + data[1]], data[2 + data[1] :]
    if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
        return None
    return int.from_bytes(body, "big"), rest


def _from_der(data: bytes) -> bytes | None:
    """r ‖ s of a strictly encoded SEQUENCE of two INTEGERs below 2^256, else None."""
    if len(data) < 2 or data[0] != 0x30 or data[1] != len(data) - 2:
        return None
    first = _der_integer(data[2:])
    second = _der_integer(first[1]) if first else None
    if first is None or second is None or second[1] or max(first[0], second[0]) >> 256:
        return None
    return first[0].to_bytes(32, "big") + second[0].to_bytes(32, "big")


def _compressed(uncompressed: str) -> bytes:
    key = bytes.fromhex(uncompressed)
    return bytes([2 + key[64] % 2]) + key[1:33]


def _ecdsa_is_right(case: Case) -> bool:
    key, signature = _compressed(case.group["publicKey"]["uncompressed"]), _from_der(case.sig)
    assert is_ecdsa_public_key(key)
    accepted = signature is not None and verify_ecdsa(key, sha256(case.msg).digest(), signature)
    return accepted == case.valid


def test_ecdsa() -> None:
    tests = cases("ecdsa_secp256k1_sha256_bitcoin")
    assert [str(case) for case in tests if not _ecdsa_is_right(case)] == []


def test_the_der_of_enough_invalid_ecdsa_tests_is_sound() -> None:
    """Else the test above would check this file's DER parser and nothing behind it."""
    reaching = [case for case in cases("ecdsa_secp256k1_sha256_bitcoin") if _from_der(case.sig)]
    assert len([case for case in reaching if not case.valid]) > 50


def _ed25519_is_right(case: Case) -> bool:
    key = bytes.fromhex(case.group["publicKey"]["pk"])
    assert is_ed25519_public_key(key)
    return verify_ed25519(key, case.msg, case.sig) == case.valid


def test_ed25519() -> None:
    assert [str(case) for case in cases("ed25519") if not _ed25519_is_right(case)] == []


def _x25519_is_right(case: Case) -> bool:
    """Acceptable here: points of the twist and unreduced ones (RFC 7748 §5); refused: an all-zero secret."""
    try:
        return x25519(case.private, case.public) == case.shared != bytes(32)
    except ValueError:
        return "ZeroSharedSecret" in case.flags and case.shared == bytes(32)


def test_x25519() -> None:
    assert [str(case) for case in cases("x25519") if not _x25519_is_right(case)] == []


def _aead_is_right(case: Case) -> bool:
    try:
        opened = open_chacha20poly1305(case.key, case.iv, case.ct + case.tag, case.aad)
    except ValueError:
        return "InvalidNonceSize" in case.flags
    if not case.valid:
        return opened is None
    sealed = seal_chacha20poly1305(case.key, case.iv, case.msg, case.aad)
    return opened == case.msg and sealed == case.ct + case.tag


def test_chacha20poly1305() -> None:
    assert [str(case) for case in cases("chacha20_poly1305") if not _aead_is_right(case)] == []
