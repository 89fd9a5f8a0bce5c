"""Every key and salt of a wallet, derived from its seed words (part of the public protocol: docs/spec).

    seed              = BIP39 seed of the words, 64 bytes, empty passphrase
    scalar(tag, data) = the first k = int(H(tag, counter u8 ‖ seed ‖ data)), counter = 0, 1, …, with 1 ≤ k < n
    owner key of a name that the wallet registers: scalar("wallet-owner", name)
    key number i that receives a transfer, or replaces another key: scalar("wallet-receive", i u32)
    salt of a registration: H("wallet-salt", seed ‖ name)

n is the order of secp256k1 (SEC 2, §2.4.1); a counter above 0 has a chance of 2^-128. The salt is the same
for all lives of a name; ``born`` makes their commitments differ. Because nothing here is random, the words
alone find every name again: by the key that its name gives, or among the first receiving keys.
"""

from collections.abc import Iterator
from typing import Final

from meshchain.crypto import ecdsa_public_key
from meshchain.crypto.hashing import tagged_hash

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GAP: Final = 20
"""Receiving keys looked at beyond the last one known to be in use (BIP44's address gap limit)."""


class Keyring:
    """The keys of one seed. Private keys are 32 bytes, public ones 33 bytes (compressed)."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._public: dict[bytes, bytes] = {}

    def owner_private(self, name: str) -> bytes:
        """Private key of a name registered by this wallet; ``name`` without ".mesh"."""
        return self._scalar("wallet-owner", name.encode("ascii"))

    def owner(self, name: str) -> bytes:
        return ecdsa_public_key(self.owner_private(name))

    def receive_private(self, index: int) -> bytes:
        return self._scalar("wallet-receive", index.to_bytes(4, "big"))

    def receive(self, index: int) -> bytes:
        """Public receiving key number ``index``; kept, since every search for an owner walks over them."""
        private = self.receive_private(index)
        if private not in self._public:
            self._public[private] = ecdsa_public_key(private)
        return self._public[private]

    def salt(self, name: str) -> bytes:
        return tagged_hash("wallet-salt", self._seed, name.encode("ascii"))

    def receive_index(self, owner: bytes, used: int) -> int | None:
        """The number of the receiving key ``owner``, looking ``GAP`` keys beyond the first ``used`` ones."""
        return next((index for index in range(used + GAP) if self.receive(index) == owner), None)

    def private_for(self, name: str, owner: bytes, used: int) -> bytes | None:
        """The private key behind ``owner`` of ``name``; None if it is not one of this wallet's."""
        return next((private for private in self._candidates(name, used) if ecdsa_public_key(private) == owner), None)

    def owns(self, name: str, owner: bytes, used: int) -> bool:
        return self.owner(name) == owner or self.receive_index(owner, used) is not None

    def _candidates(self, name: str, used: int) -> Iterator[bytes]:
        yield self.owner_private(name)
        yield from map(self.receive_private, range(used + GAP))

    def _scalar(self, tag: str, data: bytes) -> bytes:
        for counter in range(256):
            digest = tagged_hash(tag, bytes((counter,)), self._seed, data)
            if 1 <= int.from_bytes(digest, "big") < ORDER:
                return digest
        raise AssertionError("256 hashes in a row outside the group's order")
