"""SOCKS5 as bytes, whole and in every way cut."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.socks.server import Code, Conversation, Request, State, reply

GREETING = bytes((5, 1, 0))
NAME = b"alice.mesh"
BY_NAME = bytes((5, 1, 0, 3, len(NAME))) + NAME + (443).to_bytes(2, "big")
BY_ADDRESS = bytes((5, 1, 0, 4)) + IPv6Address("eeee::1").packed + (80).to_bytes(2, "big")
LOGIN = bytes((1, 4)) + b"user" + bytes((3,)) + b"pwd"


def said(data: bytes) -> tuple[Conversation, bytes]:
    conversation = Conversation()
    return conversation, conversation.received(data)


def test_by_name_and_by_address() -> None:
    conversation, output = said(GREETING + BY_NAME + b"GET /")
    assert (conversation.state, output) == (State.DONE, b"\5\0")
    assert conversation.request == Request("alice.mesh", 443)
    assert conversation.rest == b"GET /"
    assert said(GREETING + BY_ADDRESS)[0].request == Request("eeee::1", 80)
    ipv4 = bytes((5, 1, 0, 1, 192, 0, 2, 1, 0, 80))
    assert said(GREETING + ipv4)[0].request == Request("192.0.2.1", 80)


def test_any_password_will_do_but_none_is_preferred() -> None:
    conversation, output = said(bytes((5, 1, 2)) + LOGIN + BY_NAME)
    assert (conversation.state, output) == (State.DONE, b"\5\2\1\0")
    assert said(bytes((5, 2, 2, 0)))[1] == b"\5\0"


@given(st.lists(st.integers(1, 12)), st.booleans())
def test_however_it_is_cut(sizes: list[int], with_password: bool) -> None:
    whole = (bytes((5, 1, 2)) + LOGIN if with_password else GREETING) + BY_NAME + b"rest"
    conversation, output, data = Conversation(), b"", whole
    for size in sizes:
        output += conversation.received(data[:size])
        data = data[size:]
    output += conversation.received(data)
    assert conversation.request == Request("alice.mesh", 443)
    assert conversation.rest == b"rest"
    assert output == (b"\5\2\1\0" if with_password else b"\5\0")


@pytest.mark.parametrize(
    ("data", "output"),
    [
        (b"GET / HTTP/1.1\r\n", b""),
        (bytes((4, 1, 0, 80, 1, 2, 3, 4, 0)), b""),
        (bytes((5, 1, 1)), b"\5\xff"),
        (bytes((5, 0)), b"\5\xff"),
        (bytes((5, 1, 2, 5, 0)), b"\5\2\1\1"),
        (GREETING + bytes((4, 1, 0, 1)), b"\5\0" + reply(Code.FAILURE)),
        (GREETING + bytes((5, 2, 0, 1)), b"\5\0" + reply(Code.COMMAND_NOT_SUPPORTED)),
        (GREETING + bytes((5, 3, 0, 1)), b"\5\0" + reply(Code.COMMAND_NOT_SUPPORTED)),
        (GREETING + bytes((5, 1, 0, 2)), b"\5\0" + reply(Code.ADDRESS_NOT_SUPPORTED)),
        (GREETING + bytes((5, 1, 0, 3, 0, 0, 80)), b"\5\0" + reply(Code.HOST_UNREACHABLE)),
        (GREETING + bytes((5, 1, 0, 3, 2, 0xC3, 0xA9, 0, 80)), b"\5\0" + reply(Code.HOST_UNREACHABLE)),
    ],
)
def test_what_is_refused(data: bytes, output: bytes) -> None:
    conversation, sent = said(data)
    assert sent == output
    assert conversation.state is State.FAILED
    assert conversation.problem
    assert conversation.received(b"more") == b""
    assert conversation.request is None


@given(st.binary(max_size=2000))
def test_any_bytes_hold_little(data: bytes) -> None:
    conversation = Conversation()
    conversation.received(data)
    if conversation.state not in (State.DONE, State.FAILED):
        assert len(conversation._buffer) < 515


def test_replies() -> None:
    assert reply(Code.REFUSED) == bytes((5, 5, 0, 1, 0, 0, 0, 0, 0, 0))
    bound = reply(Code.SUCCEEDED, ("fe80::1%eth0", 258))
    assert bound == bytes((5, 0, 0, 4)) + IPv6Address("fe80::1").packed + b"\1\2"
