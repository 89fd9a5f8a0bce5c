"""Signatures, key agreement, encryption and hashes, each with exactly one accepted form.

The strict checks live in the modules beside this file, the arithmetic in ``arms``; importing this package
loads no crypto library.
"""

from meshchain.crypto.aead import (
    AEAD_KEY_SIZE,
    AEAD_NONCE_SIZE,
    AEAD_TAG_SIZE,
    Aead,
    open_aes_gcm,
    open_chacha20poly1305,
    seal_aes_gcm,
    seal_chacha20poly1305,
)
from meshchain.crypto.arms import CryptoWarning, arm_name
from meshchain.crypto.ed25519 import (
    ED25519_KEY_SIZE,
    ED25519_SIGNATURE_SIZE,
    ed25519_public_key,
    is_ed25519_public_key,
    sign_ed25519,
    verify_ed25519,
    x25519,
    x25519_private_from_ed25519,
    x25519_public_from_ed25519,
)
from meshchain.crypto.kdf import argon2id, scrypt
from meshchain.crypto.secp256k1 import (
    ECDSA_DIGEST_SIZE,
    ECDSA_KEY_SIZE,
    ECDSA_ORDER,
    ECDSA_SIGNATURE_SIZE,
    ecdsa_public_key,
    is_ecdsa_public_key,
    sign_ecdsa,
    verify_ecdsa,
)

__all__ = [
    "AEAD_KEY_SIZE",
    "AEAD_NONCE_SIZE",
    "AEAD_TAG_SIZE",
    "ECDSA_DIGEST_SIZE",
    "ECDSA_KEY_SIZE",
    "ECDSA_ORDER",
    "ECDSA_SIGNATURE_SIZE",
    "ED25519_KEY_SIZE",
    "ED25519_SIGNATURE_SIZE",
    "Aead",
    "CryptoWarning",
    "argon2id",
    "arm_name",
    "ecdsa_public_key",
    "ed25519_public_key",
    "is_ecdsa_public_key",
    "is_ed25519_public_key",
    "open_aes_gcm",
    "open_chacha20poly1305",
    "scrypt",
    "seal_aes_gcm",
    "seal_chacha20poly1305",
    "sign_ecdsa",
    "sign_ed25519",
    "verify_ecdsa",
    "verify_ed25519",
    "x25519",
    "x25519_private_from_ed25519",
    "x25519_public_from_ed25519",
]
