"""The portable arm: ecdsa (pure Python) and pycryptodome.

20 to 150 times slower than the fast arm. Its ECDSA signing takes a time that depends on the key, which the
first signature says in a warning. Ed25519 verification is written out here, because pycryptodome's own
multiplies by the cofactor and decodes R, and so accepts what the ledger refuses.
"""

import warnings
from collections.abc import Callable
from functools import cache
from hashlib import sha256, sha512
from typing import Final, Protocol

from Crypto.Cipher import AES, ChaCha20_Poly1305
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key, key_agreement
from Crypto.Protocol.KDF import scrypt as _scrypt
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from ecdsa import SECP256k1, SigningKey, VerifyingKey
from ecdsa.ellipticcurve import INFINITY, PointJacobi
from ecdsa.errors import MalformedPointError
from ecdsa.util import sigencode_string_canonize

from meshchain.crypto.arms import CryptoWarning
from meshchain.crypto.curve25519 import BASE, ORDER, decode_point, encode_point

_G: Final = SECP256k1.generator
_N: Final = int(SECP256k1.order)
_TAG_SIZE: Final = 16
_B: Final = ECC.construct(curve="Ed25519", point_x=BASE[0], point_y=BASE[1]).pointQ


def _secp256k1_point(public_key: bytes) -> PointJacobi | None:
    try:
        key = VerifyingKey.from_string(public_key, curve=SECP256k1, valid_encodings=("compressed",))
    except MalformedPointError:
        return None
    return key.pubkey.point


def ecdsa_is_point(public_key: bytes) -> bool:
    return _secp256k1_point(public_key) is not None


def ecdsa_verify(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """SEC 1 §4.1.4; written out because ecdsa's own fails with TypeError where the sum is infinity."""
    point = _secp256k1_point(public_key)
    if point is None:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    inverse = pow(s, -1, _N)
    total = _G.mul_add(int.from_bytes(digest, "big") * inverse % _N, point, r * inverse % _N)
    return bool(total != INFINITY and total.x() % _N == r)


@cache
def _warn_of_timing() -> None:
    warnings.warn(
        "portable cryptography signs in a time that depends on the key: not where others can measure it",
        CryptoWarning,
        stacklevel=4,
    )


def ecdsa_sign(private_key: bytes, digest: bytes) -> bytes:
    _warn_of_timing()
    signature: bytes = SigningKey.from_string(private_key, curve=SECP256k1).sign_digest_deterministic(
        digest, hashfunc=sha256, sigencode=sigencode_string_canonize
    )
    return signature


def ecdsa_public_key(private_key: bytes) -> bytes:
    encoded: bytes = SigningKey.from_string(private_key, curve=SECP256k1).verifying_key.to_string("compressed")
    return encoded


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 §5.1.7 without the cofactor; R is never decoded, only compared."""
    point = decode_point(public_key)
    if point is None:
        return False
    a = ECC.construct(curve="Ed25519", point_x=point[0], point_y=point[1]).pointQ
    challenge = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    expected = _B * int.from_bytes(signature[32:], "little") + -(a * challenge)
    return encode_point(*expected.xy) == signature[:32]


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    return eddsa.new(ECC.construct(curve="Ed25519", seed=seed), "rfc8032").sign(message)


def ed25519_public_key(seed: bytes) -> bytes:
    return encode_point(*ECC.construct(curve="Ed25519", seed=seed).pointQ.xy)


def x25519(private_key: bytes, public_key: bytes) -> bytes:
    mine, theirs = import_x25519_private_key(private_key), import_x25519_public_key(public_key)
    return key_agreement(static_priv=mine, static_pub=theirs, kdf=bytes)


class _Cipher(Protocol):
    def update(self, assoc_data: bytes, /) -> object: ...
    def encrypt_and_digest(self, plaintext: bytes, /) -> tuple[bytes, bytes]: ...
    def decrypt_and_verify(self, ciphertext: bytes, received_mac_tag: bytes, /) -> bytes: ...


def _seal(cipher: _Cipher, plaintext: bytes, associated: bytes) -> bytes:
    cipher.update(associated)
    return b"".join(cipher.encrypt_and_digest(plaintext))


def _open(cipher: _Cipher, sealed: bytes, associated: bytes) -> bytes | None:
    cipher.update(associated)
    try:
        return cipher.decrypt_and_verify(sealed[:-_TAG_SIZE], sealed[-_TAG_SIZE:])
    except ValueError:
        return None


def chacha_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return _seal(ChaCha20_Poly1305.new(key=key, nonce=nonce), plaintext, associated)


def chacha_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    return _open(ChaCha20_Poly1305.new(key=key, nonce=nonce), sealed, associated)


def chacha_of(
    key: bytes,
) -> tuple[Callable[[bytes, bytes, bytes], bytes], Callable[[bytes, bytes, bytes], bytes | None]]:
    def seal(nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        return chacha_seal(key, _checked(nonce), plaintext, associated)

    def opened(nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
        _checked(nonce)
        return chacha_open(key, nonce, sealed, associated) if len(sealed) >= _TAG_SIZE else None

    return seal, opened


def _checked(nonce: bytes) -> bytes:
    """The library would take 8 and 24 bytes, too, for other ciphers."""
    if len(nonce) != 12:
        raise ValueError("Nonce must be 12 bytes")
    return nonce


def aes_gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return _seal(AES.new(key, AES.MODE_GCM, nonce=nonce), plaintext, associated)


def aes_gcm_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    return _open(AES.new(key, AES.MODE_GCM, nonce=nonce), sealed, associated)


def scrypt(password: bytes, salt: bytes, n: int, r: int, p: int, size: int) -> bytes:
    derived = _scrypt(password, salt, size, N=n, r=r, p=p)
    assert isinstance(derived, bytes)
    return derived
