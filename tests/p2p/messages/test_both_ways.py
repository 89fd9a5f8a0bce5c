"""Messages become bytes and come back; the bytes are those of the codec, and no others."""

from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger import codec
from meshchain.p2p.messages import TYPES, Goodbye, Message, Version, decode, encode, short_id
from tests.p2p.messages.samples import ANY, ID, MESH, ONE_EACH, VERSION


@given(ANY)
def test_any_message_comes_back(message: Message) -> None:
    assert decode(encode(message), MESH) == message


def test_the_samples_are_one_of_each_type() -> None:
    assert [type(message) for message in ONE_EACH] == list(TYPES.values())
    assert [message.TYPE for message in ONE_EACH] == list(TYPES)


def test_a_message_is_its_type_and_an_array_of_the_codec() -> None:
    for message in ONE_EACH:
        data = encode(message)
        assert data[0] == message.TYPE
        assert isinstance(codec.decode(data[1:]), list)


def test_a_later_protocol_may_say_more() -> None:
    """An older node has to understand that much of it to say why it refuses, or to go by the smaller number."""
    later = codec.encode([2, *VERSION.values()[1:], "more", None, b"x" * 200])
    version = decode(bytes((Version.TYPE,)) + later, MESH)
    assert isinstance(version, Version)
    assert version.protocol == 2
    assert version.values()[1:] == VERSION.values()[1:]


@given(st.text(), st.text(min_size=150, max_size=400))
def test_any_reason_can_be_said(short: str, long: str) -> None:
    for reason in (short, long):
        said = Goodbye.saying("stalled", reason)
        assert decode(encode(said), MESH) == said
    assert Goodbye.saying("stalled", "2 s\n").reason == "2 s?"


def test_short_ids_are_salted_heads_of_a_tagged_hash() -> None:
    salt = 0x0102030405060708
    expected = tagged_hash("short", ID, bytes(range(1, 9)), b"\1" * 32)[:8]
    assert short_id(ID, salt, b"\1" * 32) == expected
    assert short_id(ID, salt + 1, b"\1" * 32) != expected
