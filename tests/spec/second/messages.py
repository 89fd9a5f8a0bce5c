# ruff: noqa: ANN401 - decoded values are of any type until they are looked at
"""Chapter 4 of gossip.md: messages, for a network of given B and operation size. Plain and slow."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.spec.second.values import decode, need

Shape = Callable[[Any], Any]


def uint(bits: int, least: int = 0) -> Shape:
    def read(value: Any) -> int:
        need(isinstance(value, int) and not isinstance(value, bool) and least <= value < 1 << bits)
        return int(value)

    return read


def raw(least: int, most: int | None = None) -> Shape:
    def read(value: Any) -> bytes:
        need(isinstance(value, bytes) and least <= len(value) <= (least if most is None else most))
        return bytes(value)

    return read


def joined(size: int, least: int, most: int) -> Shape:
    def read(value: Any) -> list[bytes]:
        need(isinstance(value, bytes) and len(value) % size == 0 and least <= len(value) // size <= most)
        return [value[at : at + size] for at in range(0, len(value), size)]

    return read


def ids(most: int) -> Shape:
    return joined(32, 1, most)


def kind(value: Any) -> int:
    need(value in (1, 2) and not isinstance(value, bool))
    return int(value)


def text(most: int, letters: Callable[[str], bool] = lambda c: " " <= c <= "~", least: int = 0) -> Shape:
    def read(value: Any) -> str:
        need(isinstance(value, str) and least <= len(value) <= most and all(map(letters, value)))
        return str(value)

    return read


def word(most: int) -> Shape:
    return text(most, lambda c: c in "abcdefghijklmnopqrstuvwxyz0123456789-", 1)


def boolean(value: Any) -> bool:
    need(isinstance(value, bool))
    return bool(value)


def maybe(shape: Shape) -> Shape:
    return lambda value: None if value is None else shape(value)


def array(least: int, most: int, shape: Shape) -> Shape:
    def read(value: Any) -> list[Any]:
        need(isinstance(value, list) and least <= len(value) <= most)
        return [shape(item) for item in value]

    return read


def record(*shapes: Shape) -> Shape:
    def read(value: Any) -> list[Any]:
        need(isinstance(value, list) and len(value) == len(shapes))
        return [shape(item) for shape, item in zip(shapes, value, strict=True)]

    return read


def header(value: Any) -> bytes:
    data: bytes = raw(124)(value)
    need(data[:4] == b"\0\0\0\1")
    return data


def headers(value: Any) -> list[bytes]:
    return [header(part) for part in joined(124, 0, 2000)(value)]


_VERSION: tuple[Shape, ...] = (
    uint(16, 1), raw(32), text(32), text(64), uint(32), raw(32), uint(64), uint(64), uint(16), boolean,
)  # fmt: skip


def version(value: Any) -> list[Any]:
    need(isinstance(value, list) and 10 <= len(value) <= 32)
    need(value[0] != 1 or len(value) == 10)
    need(not any(isinstance(item, list | dict) for item in value))
    return list(record(*_VERSION)(value[:10]))


def ascending(positions: list[int], below: int) -> None:
    need(positions == sorted(set(positions)) and all(position < below for position in positions))


class Messages:
    """Reads messages under B = ``max_block_size`` and ``max_operation_size``."""

    def __init__(self, max_block_size: int, max_operation_size: int) -> None:
        self.b, self.n = max_block_size, max_block_size // 87
        self.operation = raw(1, max_operation_size)
        self.limits: Mapping[int, int] = {
            0x01: 512, 0x02: 2, 0x03: 11, 0x04: 11, 0x05: 238, 0x10: 1063, 0x11: 248007, 0x20: 517, 0x21: self.b + 7,
            0x22: 3206, 0x30: 16005, 0x31: 3205, 0x32: 65840, 0x40: 3, 0x41: self.b + 4 * self.n + 145,
            0x42: 2 * self.n + 41, 0x43: self.b + 41, 0x50: 2, 0x51: 64005,
        }  # fmt: skip
        address = record(raw(16), uint(16, 1), uint(64), maybe(raw(32)))
        self.shapes: Mapping[int, Shape] = {
            0x01: version,
            0x02: record(),
            0x03: record(uint(64)),
            0x04: record(uint(64)),
            0x05: record(word(32), text(200)),
            0x10: record(ids(32), maybe(raw(32))),
            0x11: record(headers),
            0x20: record(ids(16)),
            0x21: record(raw(125, self.b)),
            0x22: record(kind, ids(100)),
            0x30: record(ids(500)),
            0x31: record(ids(100)),
            0x32: record(self._operations(100, 65536)),
            0x40: record(boolean),
            0x41: self._compact,
            0x42: self._positions,
            0x43: record(raw(32), self._operations(self.n, self.b)),
            0x50: record(),
            0x51: record(array(0, 1000, address)),
        }

    def read(self, data: bytes) -> tuple[int, list[Any]]:
        """(type, fields), or InvalidError."""
        need(data and data[0] in self.limits and len(data) <= self.limits[data[0]])
        return data[0], self.shapes[data[0]](decode(data[1:]))

    def _operations(self, most: int, size: int) -> Shape:
        def read(value: Any) -> list[bytes]:
            listed: list[bytes] = array(1, most, self.operation)(value)
            need(sum(map(len, listed)) <= size)
            return listed

        return read

    def _compact(self, value: Any) -> list[Any]:
        prefilled = array(0, self.n, record(uint(16), self.operation))
        fields = record(header, uint(64), joined(8, 0, self.n), prefilled)(value)
        count = len(fields[2]) + len(fields[3])
        need(count <= self.n)
        ascending([position for position, _ in fields[3]], count)
        return list(fields)

    def _positions(self, value: Any) -> list[Any]:
        block_id, parts = record(raw(32), joined(2, 1, self.n))(value)
        positions = [int.from_bytes(part, "big") for part in parts]
        ascending(positions, self.n)
        return [block_id, positions]
