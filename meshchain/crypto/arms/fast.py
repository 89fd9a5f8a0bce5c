"""The fast arm: libsecp256k1 through coincurve, OpenSSL through cryptography.

coincurve's own ``verify`` takes DER; the two lines of ``ecdsa_verify`` go to the library directly, which
takes the 64 bytes as they stand and saves a conversion there and back per signature.
"""

from collections.abc import Callable

from coincurve import GLOBAL_CONTEXT, PrivateKey, PublicKey
from coincurve._libsecp256k1 import ffi, lib
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_CONTEXT = GLOBAL_CONTEXT.ctx


def ecdsa_is_point(public_key: bytes) -> bool:
    parsed = ffi.new("secp256k1_pubkey *")
    return bool(lib.secp256k1_ec_pubkey_parse(_CONTEXT, parsed, public_key, len(public_key)))


def ecdsa_verify(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    key, numbers = ffi.new("secp256k1_pubkey *"), ffi.new("secp256k1_ecdsa_signature *")
    return bool(
        lib.secp256k1_ec_pubkey_parse(_CONTEXT, key, public_key, len(public_key))
        and lib.secp256k1_ecdsa_signature_parse_compact(_CONTEXT, numbers, signature)
        and lib.secp256k1_ecdsa_verify(_CONTEXT, numbers, digest, key)
    )


def ecdsa_sign(private_key: bytes, digest: bytes) -> bytes:
    recoverable: bytes = PrivateKey(private_key).sign_recoverable(digest, hasher=None)
    return recoverable[:64]


def ecdsa_public_key(private_key: bytes) -> bytes:
    encoded: bytes = PublicKey.from_valid_secret(private_key).format(compressed=True)
    return encoded


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_public_key(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def x25519(private_key: bytes, public_key: bytes) -> bytes:
    peer = X25519PublicKey.from_public_bytes(public_key)
    return X25519PrivateKey.from_private_bytes(private_key).exchange(peer)


def chacha_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(nonce, plaintext, associated)


def chacha_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        return None


def chacha_of(
    key: bytes,
) -> tuple[Callable[[bytes, bytes, bytes], bytes], Callable[[bytes, bytes, bytes], bytes | None]]:
    """Making the library's object costs half of sealing a packet with it."""
    cipher = ChaCha20Poly1305(key)
    decrypt = cipher.decrypt

    def opened(nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
        try:
            return decrypt(nonce, sealed, associated)
        except InvalidTag:
            return None

    return cipher.encrypt, opened


def aes_gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def aes_gcm_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        return None


def scrypt(password: bytes, salt: bytes, n: int, r: int, p: int, size: int) -> bytes:
    return Scrypt(salt=salt, length=size, n=n, r=r, p=p).derive(password)
