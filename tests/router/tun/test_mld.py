"""Group members, by reports as kernels send them."""

from hypothesis import given
from hypothesis import strategies as st

from meshrouter.offload.checksum import with_checksum
from meshrouter.tun.mld import GENERAL_QUERY, MOST_GROUPS, Members

GROUP = bytes.fromhex("ff18eeee000000000000000000000042")
OTHER = bytes.fromhex("ff020000000000000000000000000042")
INCLUDE, EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK = range(1, 7)


def packet(message: bytes) -> bytes:
    payload = bytes.fromhex("3a00050200000100") + message
    return bytes.fromhex("60000000") + len(payload).to_bytes(2, "big") + b"\0\1" + bytes(32) + payload


def record(kind: int, group: bytes, sources: int = 0, extra: int = 0) -> bytes:
    return bytes((kind, extra)) + sources.to_bytes(2, "big") + group + bytes(16 * sources + 4 * extra)


def report(*records: bytes) -> bytes:
    return packet(bytes((143, 0, 0, 0, 0, 0)) + len(records).to_bytes(2, "big") + b"".join(records))


def v1(kind: int, group: bytes) -> bytes:
    return packet(bytes((kind, 0)) + bytes(6) + group)


def test_join_and_leave() -> None:
    members = Members()
    assert members.take(report(record(TO_EXCLUDE, GROUP), record(TO_EXCLUDE, OTHER)))
    assert list(members.groups) == [GROUP]
    assert members.take(report(record(TO_INCLUDE, GROUP)))
    assert not members.groups


def test_sources_join_too_and_blocking_one_changes_nothing() -> None:
    members = Members()
    members.take(report(record(ALLOW, OTHER, 3, 2), record(ALLOW, GROUP, 1)))
    assert list(members.groups) == [GROUP]
    members.take(report(record(BLOCK, GROUP, 1)))
    assert list(members.groups) == [GROUP]
    members.take(report(record(INCLUDE, GROUP)))
    assert not members.groups


def test_version_1() -> None:
    members = Members()
    assert members.take(v1(131, GROUP))
    assert list(members.groups) == [GROUP]
    assert members.take(v1(132, GROUP))
    assert not members.groups


def test_the_number_of_groups_is_bounded() -> None:
    members = Members()
    for number in range(MOST_GROUPS + 9):
        members.take(report(record(EXCLUDE, GROUP[:14] + number.to_bytes(2, "big"))))
    assert len(members.groups) == MOST_GROUPS


def test_other_packets_are_left_alone() -> None:
    members = Members()
    assert not members.take(b"")
    assert not members.take(GENERAL_QUERY)
    assert not members.take(bytes(100))
    assert not members.take(packet(bytes((128, 0)) + bytes(30)))


@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes_and_any_cut_are_bounded(noise: bytes, cut: int) -> None:
    members = Members()
    members.take(noise)
    members.take(packet(bytes((143, 0)) + noise))
    members.take(report(record(TO_EXCLUDE, GROUP, 2), record(ALLOW, OTHER, 1))[:cut])
    assert all(group.startswith(GROUP[:4]) and len(group) == 16 for group in members.groups)


def test_the_query_is_well_formed() -> None:
    whole = GENERAL_QUERY[:6] + b"\x3a" + GENERAL_QUERY[7:40] + GENERAL_QUERY[48:]  # without the hop-by-hop header
    whole = whole[:4] + (len(whole) - 40).to_bytes(2, "big") + whole[6:]
    assert with_checksum(whole, 58, 2) == whole
    assert len(GENERAL_QUERY) == 40 + int.from_bytes(GENERAL_QUERY[4:6], "big")
