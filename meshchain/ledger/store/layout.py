"""The table of keys.

Heights are u32 big-endian, so that ranges run in order of height.

====  =============================  ==========================================================
key                                  value
====  =============================  ==========================================================
M     word                           ``genesis`` (id), ``version`` (u8), ``tip`` (id); others': see below
H     block id                       header 124, work 32, difficulty state 24, flags u8 (chain/index.py)
K     parent id, block id            nothing: children of a header
L     block id                       nothing: headers without a child (leaves of the header tree)
N     height                         block id on the active chain
B     block id                       body: canonical array of the operations
U     block id                       undo (chain/undo.py)
e     name                           entry, the encoding the state root commits to
x     expires, name                  nothing: entries by expiry
a     address                        name that holds the claimed address
c     commitment                     height u32, used u8
d     height, commitment             nothing: commitments by height
t     node hash                      node of the state tree
k     node key, name                 nothing: names whose record lists the key as a host
h     name, 0, height, index u16     opid: operations of a name, in order
o     opid, height, index u16        nothing: where an operation stands
p     block id                       parking record of a rival's first block (chain/parking.py)
q     opid                           queued operation (queue/)
====  =============================  ==========================================================

Lower-case keys but p and q are derived from the blocks (``chain check`` rebuilds and compares them).
"""

from typing import Final

VERSION: Final = 1
"""Raised by every change of this table; the store refuses to open what it cannot read."""

GENESIS: Final = b"Mgenesis"
STORE_VERSION: Final = b"Mversion"
TIP: Final = b"Mtip"
ADDRESSES: Final = b"Maddresses"
"""Gossip's address book and anchors."""
BANS: Final = b"Mbans"
"""Gossip's scores and bans."""
SEQNO: Final = b"Mseqno"
"""The router's first sequence number that no announcement has had, u64."""
ZONE: Final = b"Mzone"
"""The DNS zone's serial and what it was given to (``meshchain.dns.serial``)."""

HEADER: Final = b"H"
CHILD: Final = b"K"
LEAF: Final = b"L"
MAIN: Final = b"N"
BODY: Final = b"B"
UNDO: Final = b"U"
ENTRY: Final = b"e"
EXPIRY: Final = b"x"
ADDRESS: Final = b"a"
COMMITMENT: Final = b"c"
COMMITMENT_AT: Final = b"d"
NODE: Final = b"t"
HOST_KEY: Final = b"k"
HISTORY: Final = b"h"
OPERATION: Final = b"o"
PARKED: Final = b"p"
QUEUED: Final = b"q"

DERIVED: Final = (ENTRY, EXPIRY, ADDRESS, COMMITMENT, COMMITMENT_AT, NODE, HOST_KEY, HISTORY, OPERATION)
"""What the blocks of the active chain determine."""


def prefix_end(prefix: bytes) -> bytes:
    """The least key after every key with ``prefix``: where its range ends. b"" if nothing can follow it.

    One id in 256 ends in ff, so the last byte alone cannot be counted up.
    """
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else b""


def range_end(prefix: bytes, end: bytes) -> bytes:
    """Where the keys with ``prefix`` before prefix + ``end`` (b"": all of them) stop; b"" if nothing can follow."""
    return prefix + end if end else prefix_end(prefix)


def u32(height: int) -> bytes:
    return height.to_bytes(4, "big")


def main(height: int) -> bytes:
    return MAIN + u32(height)


def expiry(expires: int, name: str) -> bytes:
    return EXPIRY + u32(expires) + name.encode()


def host_key(key: bytes, name: str) -> bytes:
    return HOST_KEY + key + name.encode()


def commitment_at(height: int, commitment: bytes) -> bytes:
    return COMMITMENT_AT + u32(height) + commitment


def position(height: int, index: int) -> bytes:
    """Where in the chain: 6 bytes."""
    return u32(height) + index.to_bytes(2, "big")


def history(name: str, height: int, index: int) -> bytes:
    return HISTORY + name.encode() + b"\0" + position(height, index)


def operation(opid: bytes, height: int, index: int) -> bytes:
    return OPERATION + opid + position(height, index)
