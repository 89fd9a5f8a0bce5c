"""Operations as the wallet makes them: built, signed with the owner's key, not yet stamped (the node does that)."""

from dataclasses import replace
from typing import TypeVar

from meshchain.crypto import sign_ecdsa
from meshchain.ledger import operations
from meshchain.ledger.entry import REG_SIZE, Record
from meshchain.ledger.operations import Commit, Renew, Reveal, Revoke, Transfer, Update
from wallet.derivation import Keyring

Signable = TypeVar("Signable", Reveal, Update, Renew, Transfer, Revoke)


def signed(operation: Signable, private_key: bytes, genesis: bytes) -> Signable:
    """``operation`` with its signature: over the opid, which covers the network."""
    return replace(operation, signature=sign_ecdsa(private_key, operations.opid(operation, genesis)))


def commitment(keys: Keyring, name: str, born: int, genesis: bytes) -> bytes:
    """The 32 bytes that reserve ``name`` for this wallet's key without showing it."""
    return operations.commitment(genesis, keys.salt(name), keys.owner(name), born, name)


def registration(keys: Keyring, name: str, born: int, record: Record, genesis: bytes) -> tuple[Commit, Reveal]:
    """The two operations of a registration; ``born`` is a height of the grid (see registrar)."""
    reveal = Reveal(name=name, salt=keys.salt(name), owner=keys.owner(name), born=born, record=record)
    commit = Commit(commitment=commitment(keys, name, born, genesis))
    return commit, signed(reveal, keys.owner_private(name), genesis)


def reg_of(reveal: Reveal, genesis: bytes) -> bytes:
    """The identity of the life that ``reveal`` begins: the first 16 bytes of its commitment."""
    return operations.commitment(genesis, reveal.salt, reveal.owner, reveal.born, reveal.name)[:REG_SIZE]
