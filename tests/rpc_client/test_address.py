import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.rpc.client import WrongUse
from meshchain.rpc.client.address import parse_endpoint


@pytest.mark.parametrize(
    ("text", "url", "loopback"),
    [
        ("http://127.0.0.1:9336", "http://127.0.0.1:9336/", True),
        ("127.0.0.1:9336", "http://127.0.0.1:9336/", True),
        ("[::1]:9336", "http://[::1]:9336/", True),
        ("http://localhost:1/rpc", "http://localhost:1/rpc", True),
        ("http://[2001:db8::1]:65535/", "http://[2001:db8::1]:65535/", False),
        ("node.example:80", "http://node.example:80/", False),
    ],
)
def test_good_addresses(text: str, url: str, loopback: bool) -> None:
    endpoint = parse_endpoint(text)
    assert (endpoint.url, endpoint.is_loopback) == (url, loopback)


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost", "http://localhost", "http://:9336", "localhost:0", "localhost:65536", "localhost:x",
        "https://localhost:9336", "http://u:p@localhost:1", "http://localhost:1/?a", "http://localhost:1/#a",
        "http://[::1:9336", "http://[x]:1", "http://a b:1", "http://localhost:1/\r\nX: y",
    ],
)  # fmt: skip
def test_bad_addresses_are_wrong_use(text: str) -> None:
    with pytest.raises(WrongUse, match="--rpc") as caught:
        parse_endpoint(text)
    assert caught.value.code == "bad-rpc-url"
    assert caught.value.exit_code == 3


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_wrong_use(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except WrongUse:
        return
    assert parse_endpoint(endpoint.url) == endpoint
