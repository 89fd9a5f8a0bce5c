"""wallet.json: from seed words to owner keys and salts."""

from typing import Final

from docs.spec.making.values import Document, Json
from wallet import words
from wallet.derivation import Keyring

_ENTROPY: Final = (bytes(16), b"\x7f" * 16, bytes(range(16)), bytes(range(32)))
_NAMES: Final = ("alice", "a", "xn--bcher-kva", "a" * 63)


def document() -> Document:
    return {"wallets": [_wallet(words.from_entropy(entropy)) for entropy in _ENTROPY]}


def _wallet(sentence: str) -> Json:
    seed = words.seed(sentence)
    ring = Keyring(seed)
    return {
        "words": sentence,
        "seed": seed.hex(),
        "owners": [_owner(ring, name) for name in _NAMES],
        "receiving": [_receiving(ring, index) for index in (0, 1, 19, 2**32 - 1)],
    }


def _owner(ring: Keyring, name: str) -> Json:
    return {
        "name": name,
        "private": ring.owner_private(name).hex(),
        "public": ring.owner(name).hex(),
        "salt": ring.salt(name).hex(),
    }


def _receiving(ring: Keyring, index: int) -> Json:
    return {"index": index, "private": ring.receive_private(index).hex(), "public": ring.receive(index).hex()}
