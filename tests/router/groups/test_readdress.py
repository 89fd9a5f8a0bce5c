"""Another destination, the checksum adjusted: against one that is computed."""

from hypothesis import given
from hypothesis import strategies as st

from meshrouter.groups.readdress import with_destination
from meshrouter.offload.checksum import with_checksum

HEADERS = {6: (20, 16), 17: (8, 6), 58: (8, 2)}
"""Protocol → (least size, offset of the checksum)."""


def address() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=16, max_size=16)


def packet(protocol: int, source: bytes, destination: bytes, content: bytes) -> bytes:
    return b"\x60\0\0\0" + len(content).to_bytes(2, "big") + bytes((protocol, 64)) + source + destination + content


def ones(packet: bytes, at: int) -> int:
    """A checksum, its two zeros as one."""
    return int.from_bytes(packet[at : at + 2], "big") % 0xFFFF


@given(st.sampled_from(sorted(HEADERS)), address(), address(), address(), st.binary(max_size=60))
def test_as_if_computed(protocol: int, source: bytes, before: bytes, after: bytes, rest: bytes) -> None:
    size, offset = HEADERS[protocol]
    content = bytes(size) + rest
    old = with_checksum(packet(protocol, source, before, content), protocol, offset)
    new = with_destination(old, after)
    right = with_checksum(packet(protocol, source, after, content), protocol, offset)
    assert ones(new, 40 + offset) == ones(right, 40 + offset)
    assert new[:40] == right[:40]
    assert new[40 + offset : 42 + offset] != b"\0\0"


@given(address(), address(), st.binary(min_size=1, max_size=60))
def test_a_wrong_checksum_stays_wrong(source: bytes, after: bytes, rest: bytes) -> None:
    old = with_checksum(packet(17, source, bytes(16), bytes(8) + rest), 17, 6)
    wrong = old[:46] + bytes((old[46] ^ 1,)) + old[47:]
    new = with_destination(wrong, after)
    assert ones(new, 46) != ones(with_checksum(new, 17, 6), 46)


def test_behind_extension_headers() -> None:
    udp = with_checksum(packet(17, b"s" * 16, b"d" * 16, bytes(8) + b"hello"), 17, 6)[40:]
    moved = with_checksum(packet(17, b"s" * 16, b"e" * 16, bytes(8) + b"hello"), 17, 6)[40:]
    options = bytes((60, 0)) + bytes(6) + bytes((44, 1)) + bytes(14) + bytes((17, 0, 0, 1)) + bytes(4)
    found = with_destination(packet(0, b"s" * 16, b"d" * 16, options + udp), b"e" * 16)
    assert found[40:] == options + moved


def test_what_has_no_checksum_is_left_alone() -> None:
    later = bytes((17, 0, 0, 9)) + bytes(4) + b"\x55" * 20
    for kind, content in (
        (44, later),
        (59, b"\x55" * 20),
        (17, b"\x55" * 7),
        (17, b"\x55" * 6 + b"\0\0" + b"x"),
        (0, b""),
    ):
        old = packet(kind, b"s" * 16, b"d" * 16, content)
        assert with_destination(old, b"e" * 16) == packet(kind, b"s" * 16, b"e" * 16, content)


@given(st.binary(min_size=40, max_size=120))
def test_any_bytes(data: bytes) -> None:
    assert len(with_destination(data, bytes(16))) == len(data)
