"""The cookie file and the headers that give a browser away."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.rpc.auth import Cookie, Forbidden, check_source, from_browser, host_name, is_loopback


def basic(credential: bytes) -> str:
    return "Basic " + base64.b64encode(credential).decode()


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_the_cookie_is_for_its_owner_only_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        Cookie(tmp_path).write()
    finally:
        os.umask(before)
    assert (tmp_path / ".cookie").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".cookie"]


def test_a_new_cookie_replaces_the_old_one_even_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / ".cookie").symlink_to(target)
    (tmp_path / ".cookie.new").symlink_to(target)
    cookie = Cookie(tmp_path)
    cookie.write()
    assert target.read_text() == "mine"
    assert not (tmp_path / ".cookie").is_symlink()
    assert cookie.matches(basic((tmp_path / ".cookie").read_bytes()))


def test_every_start_has_another_cookie(tmp_path: Path) -> None:
    first, second = Cookie(tmp_path), Cookie(tmp_path)
    first.write()
    old = (tmp_path / ".cookie").read_bytes()
    second.write()
    new = (tmp_path / ".cookie").read_bytes()
    assert old.startswith(b"__cookie__:")
    assert len(new) == len("__cookie__:") + 64
    assert old != new
    assert second.matches(basic(new))
    assert not second.matches(basic(old))


def test_only_one_s_own_cookie_is_removed(tmp_path: Path) -> None:
    first, second = Cookie(tmp_path), Cookie(tmp_path)
    first.write()
    second.write()
    first.remove()
    assert (tmp_path / ".cookie").exists()
    second.remove()
    assert not (tmp_path / ".cookie").exists()
    second.remove()


@given(st.text(max_size=60) | st.binary(max_size=40).map(basic))
def test_no_header_makes_matches_raise(header: str) -> None:
    assert not Cookie(Path("/nowhere")).matches(header)


@pytest.mark.parametrize("word", ["Basic ", "basic ", "BASIC  "])
def test_the_scheme_is_not_case_sensitive(word: str) -> None:
    cookie = Cookie(Path("/nowhere"), password="ab")
    assert cookie.matches(word + base64.b64encode(b"__cookie__:ab").decode())
    assert not cookie.matches("Bearer " + base64.b64encode(b"__cookie__:ab").decode())


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9336", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:9336", "192.168.7.1:9336"]
)
def test_hosts_of_this_machine_pass(host: str) -> None:
    check_source({"Host": host}, "192.168.7.1")
    check_source({"Host": host, "Origin": f"http://{host}"}, "192.168.7.1")
    check_source({"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}, "192.168.7.1")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example:9336"},
        {"Host": "192.168.7.2"},
        {"Host": "localhost:9336:9336"},
        {"Host": "localhost", "Origin": "null"},
        {"Host": "localhost", "Origin": "http://evil.example"},
        {"Host": "localhost:9336", "Origin": "http://localhost:3000"},
        {"Host": "localhost", "Origin": "https://localhost"},
        {"Host": "localhost", "Sec-Fetch-Site": "cross-site"},
        {"Host": "localhost", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_foreign_sources_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        check_source(headers, "192.168.7.1")


def test_what_we_listen_on_is_a_host() -> None:
    check_source({"Host": "[fe80::1]:9336"}, "fe80::1%eth0")
    check_source({"Host": "node.lan:9336"}, "Node.lan", "")
    with pytest.raises(Forbidden):
        check_source({"Host": ":9336"}, "node.lan", "")


@given(st.text(max_size=40))
def test_host_name_never_raises(host: str) -> None:
    assert host_name(host) == host_name(host.upper()) or not host.isascii()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_browsers_show_themselves() -> None:
    assert from_browser({"Origin": "http://localhost"})
    assert from_browser({"sec-fetch-mode": "navigate"})
    assert not from_browser({"User-Agent": "curl"})
