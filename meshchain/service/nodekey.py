"""The node's own Ed25519 key: made at the first start, kept in ``<datadir>/node.key``, never leaves it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meshchain.crypto import ed25519_public_key, sign_ed25519
from meshchain.crypto.address import node_address
from meshchain.files import write_whole
from meshchain.ledger.errors import LocalError

FILE_NAME = "node.key"


@dataclass(frozen=True, slots=True)
class NodeKey:
    """``seed``: 32 secret bytes; ``public``: 32; ``address``: the 16-byte mesh address derived from it."""

    seed: bytes
    public: bytes
    address: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> "NodeKey | None":
        """None for the one key in 2^64 whose address falls into eeee::/80."""
        public = ed25519_public_key(seed)
        address = node_address(public)
        return None if address is None else cls(seed, public, address)

    def sign(self, message: bytes) -> bytes:
        return sign_ed25519(self.seed, message)

    def __repr__(self) -> str:
        return f"NodeKey(public={self.public.hex()})"  # a log must never show the seed


def load_or_create(datadir: Path, random: Callable[[int], bytes] = os.urandom) -> NodeKey:
    """The key in ``datadir``, made if there is none. Raises LocalError "node-key" for an unreadable or bad file."""
    path = datadir / FILE_NAME
    try:
        if not path.exists():
            _create(path, random)
        text = path.read_text(encoding="ascii").strip()
        key = NodeKey.from_seed(bytes.fromhex(text)) if len(text) == 64 else None
    except (OSError, ValueError) as error:
        raise LocalError("node-key", f"cannot use the node key {path}: {error}") from None
    if key is None:
        raise LocalError("node-key", f"the node key {path} is not 64 hexadecimal digits of a valid key")
    return key


def _create(path: Path, random: Callable[[int], bytes]) -> None:
    while NodeKey.from_seed(seed := random(32)) is None:
        pass
    write_whole(path, f"{seed.hex()}\n".encode(), 0o600)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # a key that proofs were made with must not vanish with a power cut
    os.close(folder)
