"""Heads that browsers and others send to the proxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.tls.proxy_request import ProxyRefusal, Request, connect_target, parse, secure_address


def test_head() -> None:
    assert parse(b"CONNECT alice.mesh:443 HTTP/1.1\r\nHost: x\r\n\r\n") == Request("CONNECT", "alice.mesh:443")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ],
)
def test_no_head(head: bytes) -> None:
    with pytest.raises(ProxyRefusal):
        parse(head)


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [
        ("alice.mesh:443", "alice.mesh", 443),
        ("ALICE.Mesh.:443", "alice.mesh", 443),
        ("www.alice.mesh:8443", "www.alice.mesh", 8443),
    ],
)
def test_targets(target: str, host: str, port: int) -> None:
    assert connect_target(target) == (host, port)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("alice.mesh:22", "port-not-allowed"),
        ("alice.mesh:25", "port-not-allowed"),
        ("alice.mesh:80", "port-not-allowed"),
        ("alice.mesh:0", "bad-request"),
        ("alice.mesh:65536", "bad-request"),
        ("alice.mesh", "bad-request"),
        ("alice.mesh:", "bad-request"),
        ("example.com:443", "not-mesh"),
        ("mesh:443", "not-mesh"),
        (".mesh:443", "not-mesh"),
        ("a..mesh:443", "not-mesh"),
        ("[eeee::1]:443", "not-mesh"),
        ("127.0.0.1:443", "not-mesh"),
        ("alice.mesh.evil.com:443", "not-mesh"),
        ("alice.mesh:443:443", "not-mesh"),
        ("x@alice.mesh:443", "not-mesh"),
        (f"{'a' * 64}.mesh:443", "not-mesh"),
        ("älice.mesh:443", "not-mesh"),
    ],
)
def test_refused_targets(target: str, code: str) -> None:
    with pytest.raises(ProxyRefusal) as caught:
        connect_target(target)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("http://alice.mesh/a?b", "https://alice.mesh/a?b"),
        ("http://alice.mesh", "https://alice.mesh/"),
        ("http://alice.mesh:80/", "https://alice.mesh/"),
        ("http://evil.com/", None),
        ("http://alice.mesh@evil.com/", None),
        ("http://alice.mesh:81/", None),
        ("/", None),
    ],
)
def test_to_https(target: str, address: str | None) -> None:
    assert secure_address(target) == address


@given(
    st.binary(max_size=200) | st.builds(lambda t: b"CONNECT " + t.encode() + b" HTTP/1.1\r\n\r\n", st.text(max_size=60))
)
def test_any_bytes(data: bytes) -> None:
    try:
        host, port = connect_target(parse(data).target)
    except ProxyRefusal:
        return
    assert host.endswith(".mesh")
    assert port in (443, 8443)
