"""Domain names: a tuple of labels, the leftmost first, in lower case, without the root's empty label.

``(b"www", b"alice", b"mesh")`` is www.alice.mesh. Only labels of the bytes 21 to 7e are *served*; that leaves room
between any two served names for the names that denials are made of (``before``, ``after``).
"""

from typing import Final, TypeAlias

Name: TypeAlias = tuple[bytes, ...]

MAX_LABEL: Final = 63
MAX_NAME: Final = 255
"""Bytes on the wire, the root's zero included (RFC 1035 §2.3.4)."""
_LAST: Final = 0x7E
"""The greatest byte of a served label; labels with 7f are free for denials."""
_UPPER: Final = range(0x41, 0x5B)
"""A to Z: not in a canonical name, so a denial's name must not be made of them either."""


class BadNameError(ValueError):
    """A text or bytes that are no domain name."""


def encode(name: Name) -> bytes:
    """Uncompressed wire form."""
    return b"".join(bytes((len(label),)) + label for label in name) + b"\0"


def size(name: Name) -> int:
    """Bytes of the wire form."""
    return sum(map(len, name)) + len(name) + 1


def decode(data: bytes, at: int) -> tuple[Name, int]:
    """The uncompressed name at ``at`` in lower case, and where it ends; BadNameError (a question has no pointers)."""
    labels: list[bytes] = []
    start = at
    while True:
        if at >= len(data):
            raise BadNameError("a name that ends before its end")
        length = data[at]
        at += 1
        if length == 0:
            break
        if length > MAX_LABEL or at + length - start >= MAX_NAME:
            raise BadNameError("a label or a name that is too long, or a pointer")
        labels.append(data[at : at + length].lower())
        at += length
    return tuple(labels), at


def from_text(text: str) -> Name:
    """Of a text with or without the final dot, IDNA as A-labels; escapes are not known; BadNameError."""
    labels = tuple(label.encode("ascii", "replace").lower() for label in text.removesuffix(".").split("."))
    if text in ("", "."):
        return ()
    if not all(1 <= len(label) <= MAX_LABEL for label in labels) or size(labels) > MAX_NAME:
        raise BadNameError(f"{text[:MAX_NAME]!r} is no domain name: an empty or too long label, or too long")
    return labels


def to_text(name: Name) -> str:
    """With the final dot; odd bytes as \\DDD (RFC 1035 §5.1)."""
    return "".join(_label_text(label) + "." for label in name) or "."


def _label_text(label: bytes) -> str:
    return "".join(_byte_text(byte) for byte in label)


def _byte_text(byte: int) -> str:
    if byte in b'."\\;()@$':
        return "\\" + chr(byte)
    return chr(byte) if 0x21 <= byte <= _LAST else f"\\{byte:03d}"


def is_served(name: Name) -> bool:
    return all(0x21 <= byte <= _LAST for label in name for byte in label)


def order(name: Name) -> tuple[bytes, ...]:
    """Sort key of the canonical order (RFC 4034 §6.1)."""
    return name[::-1]


def before(name: Name) -> Name:
    """A name before ``name`` such that no served name lies between the two (RFC 4470 §3, RFC 4471).

    The name itself may exist: its parent where the label is one zero byte, or where no longer name fits.
    """
    label, parent = name[0], name[1:]
    last = label[-1]
    if last == 0:
        found = (b"\x7f", label[:-1], *parent) if len(label) > 1 else parent
        return found if size(found) <= MAX_NAME else (label[:-1], *parent)
    stem = label[:-1] + bytes((0x40 if last - 1 in _UPPER else last - 1,))
    found = (stem + b"\x7f", *parent) if len(label) < MAX_LABEL else (b"\x7f", stem, *parent)
    return found if size(found) <= MAX_NAME else (stem, *parent)


def after(name: Name, apex: Name) -> Name:
    """A name after ``name`` and all below it such that no served name lies between; the apex after the last one."""
    if name == apex:
        return apex
    label, parent = name[0], name[1:]
    if len(label) < MAX_LABEL and size(name) < MAX_NAME:
        return (label + b"\0", *parent)
    stem = label.rstrip(bytes(range(_LAST, 0x100)))
    if not stem:
        return after(parent, apex)
    last = stem[-1] + 1
    return (stem[:-1] + bytes((0x5B if last in _UPPER else last,)), *parent)


def first_below(name: Name, apex: Name) -> Name:
    """The least name below ``name``; where none fits, ``after`` it."""
    below = (b"\0", *name)
    return below if size(below) <= MAX_NAME else after(name, apex)
