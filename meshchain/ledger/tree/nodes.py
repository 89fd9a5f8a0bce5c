"""Hashes and stored forms of the tree's nodes.

A stored node is 65 bytes under its 32-byte hash: 0 ‖ key ‖ entry hash for a leaf, 1 ‖ left ‖ right for an
inner node. The first byte tells them apart in the store; in the hashes the tags "leaf" and "node" do.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from meshchain.crypto.hashing import tagged_hash

KEY_BITS: Final = 256
EMPTY: Final = bytes(32)
"""The hash of an empty subtree; it has no stored form."""

LEAF: Final = 0
"""First byte of a stored leaf; an inner node has 1 there."""

Read: TypeAlias = Callable[[bytes], bytes]
"""hash → stored node; raises KeyError for a node that is not there, which means a damaged store."""

Write: TypeAlias = Callable[[bytes, bytes], object]
"""Takes a hash and its stored node, e.g. a write batch's ``put`` or a dict's ``__setitem__``."""


def name_key(name: str) -> bytes:
    """The place of ``name`` in the tree: H("key", name), 32 bytes."""
    return tagged_hash("key", name.encode())


def entry_hash(encoded_entry: bytes) -> bytes:
    """H("entry", encoded entry): what a leaf says of its name."""
    return tagged_hash("entry", encoded_entry)


def leaf_hash(key: bytes, entry: bytes) -> bytes:
    """Hash of the leaf of ``key`` (32 bytes) with the entry hash ``entry`` (32 bytes)."""
    return tagged_hash("leaf", key, entry)


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a subtree of at least two leaves from the hashes of its halves."""
    return tagged_hash("node", left, right)


def write_leaf(key: bytes, entry: bytes, write: Write) -> bytes:
    """Store a leaf; return its hash."""
    digest = leaf_hash(key, entry)
    write(digest, b"\0" + key + entry)
    return digest


def write_inner(left: bytes, right: bytes, write: Write) -> bytes:
    """Store an inner node; return its hash."""
    digest = inner_hash(left, right)
    write(digest, b"\1" + left + right)
    return digest


def bit_at(key: bytes, depth: int) -> int:
    """Which way ``key`` goes at a node ``depth`` steps below the root: 0 left, 1 right."""
    return key[depth >> 3] >> (7 - (depth & 7)) & 1
