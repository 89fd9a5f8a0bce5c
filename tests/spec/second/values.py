# ruff: noqa: ANN401 - decoded values are of any type until they are looked at
"""Chapters 2, 4 and 15 of ledger.md: hashes, encoding, state root. Plain and slow."""

import hashlib
from collections.abc import Mapping
from typing import Any

from argon2.low_level import Type, hash_secret_raw


class InvalidError(Exception):
    """Some rule of the document is broken; which one is not this program's business."""


def need(holds: object) -> None:
    if not holds:
        raise InvalidError


def tagged(tag: str, *fields: bytes) -> bytes:
    return hashlib.blake2b(b"".join(fields), digest_size=32, person=tag.encode().ljust(16, b"\0")).digest()


def argon(password: bytes, salt: bytes, memory_kib: int) -> int:
    digest = hash_secret_raw(password, salt, 1, memory_kib, 1, 32, Type.ID, 0x13)
    return int.from_bytes(digest, "big")


def encode(value: Any) -> bytes:
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _head(5, len(value)) + b"".join(key + item for key, item in pairs)


def _head(major: int, number: int) -> bytes:
    for limit, info, size in ((24, number, 0), (2**8, 24, 1), (2**16, 25, 2), (2**32, 26, 4), (2**64, 27, 8)):
        if number < limit:
            return bytes((major << 5 | info,)) + (number.to_bytes(size, "big") if size else b"")
    raise InvalidError


def decode(data: bytes) -> Any:
    """Whatever decodes at all and encodes to the same bytes is canonical."""
    try:
        value, end = _item(data, 0, 8)
        need(end == len(data) and encode(value) == data)
    except (IndexError, UnicodeDecodeError, KeyError) as error:
        raise InvalidError from error
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    major, info = data[at] >> 5, data[at] & 31
    if major == 7:
        return {20: False, 21: True, 22: None}[info], at + 1
    need(info < 28 and major not in (1, 6))
    size = 0 if info < 24 else 1 << info - 24
    number = int.from_bytes(data[at + 1 : at + 1 + size], "big") if size else info
    at += 1 + size
    if major == 0:
        return number, at
    need(number <= len(data) - at)
    if major in (2, 3):
        string = data[at : at + number]
        return string if major == 2 else string.decode(), at + number
    need(depth > 0)
    items = []
    for _ in range(number * (major - 3)):
        item, at = _item(data, at, depth - 1)
        items.append(item)
    if major == 4:
        return items, at
    need(all(isinstance(key, str) for key in items[::2]))
    return dict(zip(items[::2], items[1::2], strict=True)), at


def state_root(entries: Mapping[str, Mapping[str, Any]]) -> bytes:
    leaves = {tagged("key", name.encode()): tagged("entry", encode(dict(entry))) for name, entry in entries.items()}
    return _root(sorted(leaves.items()), 0)


def _root(leaves: list[tuple[bytes, bytes]], depth: int) -> bytes:
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return tagged("leaf", *leaves[0])
    left = [leaf for leaf in leaves if not leaf[0][depth // 8] >> (7 - depth % 8) & 1]
    return tagged("node", _root(left, depth + 1), _root(leaves[len(left) :], depth + 1))
