from dataclasses import replace
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import header, params
from meshchain.ledger.errors import CodecError
from meshchain.ledger.header import Header

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
HASH = st.binary(min_size=32, max_size=32)
HEADERS = st.builds(Header, st.just(1), U32, HASH, HASH, HASH, U64, U32, U64)

EXAMPLE = Header(1, 2, b"\x03" * 32, b"\x04" * 32, b"\x05" * 32, 6, 7, 8)
EXAMPLE_HEX = "0000000100000002" + "03" * 32 + "04" * 32 + "05" * 32 + "0000000000000006" + "000000070000000000000008"


def header_or_code(data: bytes) -> Header | str:
    try:
        return Header.decode(data)
    except CodecError as error:
        return error.code


def test_layout() -> None:
    assert EXAMPLE.encode().hex() == EXAMPLE_HEX
    assert Header.decode(bytes.fromhex(EXAMPLE_HEX)) == EXAMPLE
    assert Header.SIZE == 124 == len(EXAMPLE.encode())


def test_id_is_the_tagged_hash_of_the_bytes() -> None:
    expected = blake2b(bytes.fromhex(EXAMPLE_HEX), digest_size=32, person=b"block".ljust(16, b"\0")).digest()
    assert EXAMPLE.id == expected
    assert EXAMPLE.id is EXAMPLE.id  # computed once
    assert replace(EXAMPLE, nonce=9).id != expected  # and never inherited


@given(HEADERS)
def test_round_trip(value: Header) -> None:
    again = Header.decode(value.encode())
    assert again == value
    assert again.id == value.id


@given(st.binary(max_size=300) | st.binary(min_size=124, max_size=124))
def test_any_bytes_decode_or_name_the_rule(data: bytes) -> None:
    result = header_or_code(data)
    if isinstance(result, Header):
        assert result.encode() == data
    else:
        assert result == ("header-size" if len(data) != 124 else "header-version")


@pytest.mark.parametrize("version", [0, 2, 2**32 - 1])
def test_other_versions_are_refused(version: int) -> None:
    with pytest.raises(CodecError) as caught:
        Header.decode(replace(EXAMPLE, version=version).encode())
    assert caught.value.code == "header-version"


@given(HEADERS, st.integers(0, 123), st.integers(1, 255))
def test_every_byte_counts(value: Header, at: int, flip: int) -> None:
    data = bytearray(value.encode())
    data[at] ^= flip
    other = header_or_code(bytes(data))
    if isinstance(other, Header):
        assert other != value
        assert other.id != value.id
    else:
        assert at < 4


def test_genesis_commits_to_every_consensus_parameter() -> None:
    mesh = params.load("mesh")
    first = header.genesis(mesh)
    assert (first.version, first.height, first.nonce) == (1, 0, 0)
    assert first.previous == mesh.network_hash()
    assert first.state_root == bytes(32)
    assert first.operations_root == header.operations_root(())
    assert (first.time, first.bits) == (mesh.consensus.genesis_time, mesh.consensus.pow_limit_bits)
    changed = replace(mesh, consensus=replace(mesh.consensus, grace=mesh.consensus.grace + 1))
    networks = [mesh, params.load("test"), params.load("dev"), changed]
    assert len({header.genesis(each).id for each in networks}) == len(networks)


def test_genesis_ignores_policy() -> None:
    mesh = params.load("mesh")
    other = replace(mesh, policy=replace(mesh.policy, settled_depth=1))
    assert header.genesis(other).id == header.genesis(mesh).id


def test_operations_root_covers_count_and_order() -> None:
    a, b = b"a" * 32, b"b" * 32
    expected = blake2b(bytes((0, 0, 0, 2)) + a + b, digest_size=32, person=b"ops".ljust(16, b"\0")).digest()
    assert header.operations_root([a, b]) == expected
    assert len({header.operations_root(each) for each in ([], [a], [b], [a, b], [b, a], [a, a])}) == 6
