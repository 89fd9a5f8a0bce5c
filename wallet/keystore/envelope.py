"""The wallet file's outer form: one JSON object around a payload that is encrypted, or stated to be plain.

    format      "meshchain-wallet"
    version     1
    protection  "scrypt-aes256gcm" or "none"
    kdf         {n, r, p, salt}            only with protection
    nonce       12 bytes                   only with protection
    payload     hexadecimal: ciphertext and 16-byte tag, or the plain bytes
    checksum    H("wallet-file", canonical JSON of all other members), hexadecimal

AES-256-GCM authenticates the head (format, version, protection, kdf) as associated data. The checksum needs
no key: with it a damaged file and a wrong passphrase are different errors. Canonical JSON here means sorted
keys, no spaces, ASCII. Decoding any bytes ends in an Envelope or in a WalletError, with bounded time and
memory.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from meshchain.crypto import open_aes_gcm, seal_aes_gcm
from meshchain.crypto.hashing import tagged_hash
from wallet.errors import WalletError
from wallet.keystore.kdf import SALT_SIZE, Cost

FORMAT: Final = "meshchain-wallet"
VERSION: Final = 1
SCRYPT: Final = "scrypt-aes256gcm"
NONE: Final = "none"
NONCE_SIZE: Final = 12
MAX_FILE: Final = 16 * 2**20
"""Bytes. A name takes some 3 kB at most, so this is room for thousands."""
_MEMBERS: Final = {
    SCRYPT: {"format", "version", "protection", "kdf", "nonce", "payload", "checksum"},
    NONE: {"format", "version", "protection", "payload", "checksum"},
}


@dataclass(frozen=True, slots=True)
class Lock:
    """What turns a passphrase into the file's key: scrypt's cost and its 16-byte salt."""

    cost: Cost
    salt: bytes

    def key(self, passphrase: str) -> bytes:
        """32 bytes. The passphrase is normalised (NFKD, as BIP39 does), so that keyboards agree."""
        from unicodedata import normalize

        return self.cost.derive(normalize("NFKD", passphrase).encode(), self.salt)

    def to_json(self) -> dict[str, Any]:
        return {**self.cost.to_json(), "salt": self.salt.hex()}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A file as read: ``lock`` and ``nonce`` are None for an unprotected one."""

    lock: Lock | None
    nonce: bytes | None
    payload: bytes

    def open(self, key: bytes | None) -> bytes:
        """The plain payload; WalletError (wrong-passphrase) if ``key`` does not fit."""
        if self.lock is None or self.nonce is None:
            return self.payload
        plain = None if key is None else open_aes_gcm(key, self.nonce, self.payload, _associated(self.lock))
        if plain is None:
            raise WalletError("wrong-passphrase", "the passphrase does not open this wallet")
        return plain


def seal(payload: bytes, lock: Lock | None, key: bytes | None, nonce: bytes) -> bytes:
    """The file's bytes. ``nonce``: 12 random bytes, never used before with this key."""
    members: dict[str, Any] = _head(lock)
    if lock is not None and key is not None:
        members["nonce"] = nonce.hex()
        members["payload"] = seal_aes_gcm(key, nonce, payload, _associated(lock)).hex()
    else:
        members["payload"] = payload.hex()
    members["checksum"] = _checksum(members)
    return json.dumps(members, indent=1).encode("ascii") + b"\n"


def parse(data: bytes) -> Envelope:
    """Decode a file. WalletError: wallet-damaged (with the reason), wallet-version, wallet-format."""
    members = _members(data)
    if members.get("format") != FORMAT:
        raise WalletError("wallet-format", "the wallet file is none of meshchain's: move it away, or give --datadir")
    version = members.get("version")
    if version != VERSION or type(version) is not int:
        shown = version if type(version) is int else "unknown"
        raise WalletError(
            "wallet-version",
            f"the wallet file has version {shown}; this program reads version {VERSION}: use a newer one",
            supported=VERSION,
        )
    protection = members.get("protection")
    if not isinstance(protection, str) or members.keys() != _MEMBERS.get(protection):
        raise damaged("a member is missing or unknown")
    if members.pop("checksum") != _checksum(members):
        raise damaged("its checksum does not fit its content")
    return _envelope(members)


def damaged(reason: str) -> WalletError:
    return WalletError(
        "wallet-damaged",
        f"the wallet file is damaged: {reason}. Move it away; the seed words bring everything back: meshwallet restore",
        reason=reason,
    )


def _members(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_FILE:
        raise damaged(f"it is larger than {MAX_FILE} bytes")
    if not data.rstrip().endswith(b"}"):
        raise damaged("it ends early" if data.strip() else "it is empty")
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise damaged("it is not JSON") from None
    if not isinstance(members, dict):
        raise damaged("it is not a JSON object")
    return members


def _envelope(members: dict[str, Any]) -> Envelope:
    payload = _hexadecimal(members, "payload", None)
    if members["protection"] == NONE:
        return Envelope(None, None, payload)
    kdf = members["kdf"]
    if not isinstance(kdf, dict) or kdf.keys() != {"n", "r", "p", "salt"}:
        raise damaged("kdf is not {n, r, p, salt}")
    lock = Lock(Cost.from_json(kdf), _hexadecimal(kdf, "salt", SALT_SIZE))
    return Envelope(lock, _hexadecimal(members, "nonce", NONCE_SIZE), payload)


def _hexadecimal(table: dict[str, Any], name: str, size: int | None) -> bytes:
    try:
        raw = bytes.fromhex(table[name])
    except (TypeError, ValueError):
        raise damaged(f"{name} is not hexadecimal") from None
    if size is not None and len(raw) != size:
        raise damaged(f"{name} must be {size} bytes")
    return raw


def _head(lock: Lock | None) -> dict[str, Any]:
    head: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "protection": NONE if lock is None else SCRYPT,
    }
    if lock is not None:
        head["kdf"] = lock.to_json()
    return head


def _canonical(table: dict[str, Any]) -> bytes:
    return json.dumps(table, sort_keys=True, separators=(",", ":")).encode("ascii")


def _associated(lock: Lock) -> bytes:
    return _canonical(_head(lock))


def _checksum(members: dict[str, Any]) -> str:
    return tagged_hash("wallet-file", _canonical(members)).hex()
