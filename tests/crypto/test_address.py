"""Addresses derived from node keys, and the block kept for claims."""

from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshchain.crypto import address
from meshchain.crypto.address import is_claimable, node_address, node_id, text_of
from tests.crypto.models.blake2 import BLAKE2S

MESH = IPv6Network("eeee::/16")
CLAIMS = IPv6Network("eeee::/80")


@given(st.binary(min_size=32, max_size=32))
def test_a_derived_address_lies_in_the_mesh_and_outside_the_claims(key: bytes) -> None:
    derived = node_address(key)
    assert derived is not None
    assert IPv6Address(derived) in MESH
    assert IPv6Address(derived) not in CLAIMS
    assert not is_claimable(derived)


def test_the_id_is_the_head_of_the_personalised_hash() -> None:
    key = bytes(range(32))
    head = BLAKE2S.digest(key, b"meshaddr")[:14]
    assert node_id(key) == head
    assert node_address(key) == b"\xee\xee" + head


@pytest.mark.parametrize(("zeros", "valid"), [(7, True), (8, False), (9, False), (14, False)])
def test_an_id_among_the_claims_makes_the_key_invalid(monkeypatch: pytest.MonkeyPatch, zeros: int, valid: bool) -> None:
    """Such a key costs 2^64 hashes to find, so the hash stands in for one."""
    monkeypatch.setattr(address, "short_hash", lambda person, data: bytes(zeros).ljust(32, b"\1"))
    assert (node_id(bytes(32)) is not None) == valid
    assert (node_address(bytes(32)) is not None) == valid


@given(st.binary(min_size=6, max_size=6).map(lambda tail: b"\xee\xee" + bytes(8) + tail))
@example(IPv6Address("eeee::").packed)
@example(IPv6Address("eeee::1").packed)
def test_claims_are_all_of_the_block_but_its_first(packed: bytes) -> None:
    assert is_claimable(packed) == (packed != IPv6Address("eeee::").packed)


@given(st.binary(max_size=20))
@example(IPv6Address("eeee:0:0:0:1::").packed)
@example(IPv6Address("eeee::1").packed + b"\0")
@example(IPv6Address("eeee::1").packed[:15])
@example(b"")
def test_anything_else_is_no_claim(data: bytes) -> None:
    claimed = len(data) == 16 and IPv6Address(data) in CLAIMS and any(data[10:])
    assert is_claimable(data) == claimed


@given(
    st.binary(min_size=16, max_size=16)
    | st.lists(st.sampled_from((b"\0", b"\1", b"\xee")), min_size=16, max_size=16).map(b"".join)
)
@example(IPv6Address("eeee::1").packed)
@example(IPv6Address("eeee:1:2:3:4:5:6:0").packed)
@example(IPv6Address("eeee:100:2:3:4:5:6:7").packed)
@example(IPv6Address("::ffff:1.2.3.4").packed)
def test_the_text_is_that_of_the_standard_library(packed: bytes) -> None:
    assert text_of(packed) == str(IPv6Address(packed))
