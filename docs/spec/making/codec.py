"""codec.json: encodings that are canonical, and byte strings that are none."""

from typing import Final

from docs.spec.making.values import Document, form
from meshchain.ledger import codec
from meshchain.ledger.codec import Value

_VALUES: Final[list[Value]] = [
    0, 1, 10, 23, 24, 25, 100, 255, 256, 1000, 65535, 65536, 1_000_000,
    2**32 - 1, 2**32, 2**53 + 1, 2**64 - 1, False, True, None,
    b"", b"\x01\x02\x03\x04", bytes(23), bytes(24), bytes(255), bytes(256),
    "", "a", "IETF", '"\\', "ü", "水", "\U00010151", "\0", "e\u0301", "a" * 23, "a" * 24, "a" * 256,
    [], [1, 2, 3], [1, [2, 3], [4, 5]], [*range(1, 26)], [None, False, True, b"", ""],
    {}, {"a": 1, "b": [2, 3]}, {"b": 1, "aa": 2, "": 3, "ab": 4, "ü": 5, "zzz": 6},
    {"a" * 24: 1, "b" * 23: 2, "c" * 255: 3, "d" * 256: 4},
    {"record": {"hosts": [{"label": "", "key": bytes(32), "x": {"y": [1]}}], "dns": [["www", "A", 300, "192.0.2.1"]]}},
    [[[[[[[[]]]]]]]],
    {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": None}}}}}}}},
    [[[[[[[["eight deep"]]]]]]]],
]  # fmt: skip

_REFUSED: Final = (
    ("", "truncated", "no bytes at all"),
    ("18", "truncated", "one-byte argument missing"),
    ("19 01", "truncated", "two-byte argument cut"),
    ("1a 010203", "truncated", "four-byte argument cut"),
    ("1b 01020304050607", "truncated", "eight-byte argument cut"),
    ("41", "truncated", "byte string without its byte"),
    ("62 61", "truncated", "text cut"),
    ("5b 7fffffffffffffff", "truncated", "a length of 2^63 - 1: nothing is allocated"),
    ("9b ffffffffffffffff", "truncated", "an array of 2^64 - 1 items"),
    ("bb ffffffffffffffff", "truncated", "a map of 2^64 - 1 pairs"),
    ("82 00", "truncated", "two items announced, bytes for one"),
    ("a1 6161", "truncated", "a key without a value"),
    ("a1 00", "truncated", "one pair announced, bytes for half"),
    ("00 00", "trailing-bytes", "a second item"),
    ("f6 ff", "trailing-bytes", "a break code after the item"),
    ("18 17", "not-shortest", "23 in two bytes"),
    ("19 00ff", "not-shortest", "255 in three bytes"),
    ("1a 0000ffff", "not-shortest", "65535 in five bytes"),
    ("1b 00000000ffffffff", "not-shortest", "2^32 - 1 in nine bytes"),
    ("58 01 00", "not-shortest", "length 1 in two bytes"),
    ("78 01 61", "not-shortest", "text length 1 in two bytes"),
    ("98 01 00", "not-shortest", "count 1 in two bytes"),
    ("b8 01 6161 00", "not-shortest", "map count 1 in two bytes"),
    ("5f 41 00 ff", "indefinite-length", "byte string in chunks"),
    ("7f 6161 ff", "indefinite-length", "text in chunks"),
    ("9f 00 ff", "indefinite-length", "array of indefinite length"),
    ("bf 6161 00 ff", "indefinite-length", "map of indefinite length"),
    ("1c", "indefinite-length", "reserved additional information 28"),
    ("3e", "indefinite-length", "reserved additional information 30, checked before the major type"),
    ("20", "type", "-1"),
    ("3b ffffffffffffffff", "type", "-2^64"),
    ("c0 00", "type", "a tag"),
    ("c2 41 01", "type", "a bignum"),
    ("f0", "type", "simple value 16"),
    ("f7", "type", "undefined"),
    ("f8 14", "type", "false in two bytes"),
    ("f8 ff", "type", "simple value 255"),
    ("f9 0000", "type", "half float"),
    ("fa 00000000", "type", "float"),
    ("fb 0000000000000000", "type", "double"),
    ("ff", "type", "a break code alone"),
    ("61 ff", "text-utf8", "no UTF-8"),
    ("62 c080", "text-utf8", "overlong NUL"),
    ("63 eda080", "text-utf8", "a surrogate"),
    ("64 f4908080", "text-utf8", "beyond U+10FFFF"),
    ("61 c3", "text-utf8", "a sequence cut by the string's end"),
    ("a1 00 00", "map-key-text", "an integer as key"),
    ("a1 41 61 00", "map-key-text", "a byte string as key"),
    ("a1 f6 00", "map-key-text", "null as key"),
    ("a2 6161 00 6161 01", "map-order", "a key twice"),
    ("a2 6162 00 6161 01", "map-order", "keys the wrong way round"),
    ("a2 626161 00 6162 01", "map-order", "aa before b: the length comes first in the encoding"),
    ("818181818181818180", "depth", "nine arrays"),
    ("a16161 81818181 81818180", "depth", "a map and eight arrays"),
)


def document() -> Document:
    accepted = [{"cbor": codec.encode(value).hex(), "value": form(value)} for value in _VALUES]
    refused = [{"cbor": text.replace(" ", ""), "code": code, "why": why} for text, code, why in _REFUSED]
    return {"accepted": accepted, "refused": refused}
