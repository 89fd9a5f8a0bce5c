"""A page over the mesh: curl, the proxy, the ledger's word, the TUN, three hosts and a server with a name's key.

a – b – c by Ethernet, no IP on the links. c has a name and a certificate that ``meshwallet tls`` made; a has the proxy
and a DNS server where programs look for one.
"""

import random
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.netns.host import Lab, needs_program, needs_root
from tests.netns.meshes import Mesh, line_options, mesh
from tests.netns.nodes import MeshNode
from tests.netns.traffic import listening
from tests.tls.kit import Cert
from tests.tls.servers import context, page_of, serving_at
from tests.waiting import eventually

pytestmark = [*needs_root, needs_program("curl"), needs_program("nft")]

PROXY: Final = "127.0.0.1:8336"
LOOPBACK: Final = "beef::"
PAGE: Final = random.Random(4).randbytes(100_000).hex()


@dataclass(frozen=True, slots=True)
class Web:
    """``made``: what ``meshwallet tls`` said; ``root``: the file of the authority that a's proxy has."""

    mesh: Mesh
    made: dict[str, Any]
    root: Path

    @property
    def a(self) -> MeshNode:
        return self.mesh.nodes["a"]

    @property
    def c(self) -> MeshNode:
        return self.mesh.nodes["c"]

    @contextmanager
    def serving(self, address: str = LOOPBACK, tls: ssl.SSLContext | None = None) -> Iterator[None]:
        """At c's port 443; with the key that the ledger vouches for, if no other is given."""
        if tls is None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self.made["certificate"], self.made["key"])
        with listening(self.c.host, 443, address) as listener, serving_at(listener, tls, page_of(PAGE.encode())):
            yield

    def curl(self, *arguments: str, check: bool = True) -> str:
        """On a, by the proxy."""
        return self.a.host.run("curl", "-sS", "-x", PROXY, "--cacert", str(self.root), *arguments, check=check)


@pytest.fixture(scope="module")
def web(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with Lab() as lab:
        for host in lab.line("a", "b", "c"):
            host.without_ip("left", "right")
        lab.hosts["a"].asks("127.0.0.1")
        options = line_options("ethernet", "a", "b", "c")
        options["a"] += ["--proxy", PROXY, "--dns", "127.0.0.1:53"]
        with mesh(lab, folder, registered, options) as made:
            yield with_certificate(made, folder)


def with_certificate(made: Mesh, folder: Path) -> Web:
    a, c = made.of("a", "c")
    said = c.wallet_json("tls", "c", "--out", str(folder / "tls"), "--wait")
    eventually(partial(a.has_block, c.call("getblockcount")), "the record came over the mesh")
    root = folder / "authority.crt"
    root.write_text(a.host.run("curl", "-sS", f"http://{PROXY}/authority.crt"))
    return Web(made, said, root)


def test_the_page_comes_by_the_proxy(web: Web) -> None:
    with web.serving():
        assert web.curl("https://c.mesh/") == PAGE
        assert not web.a.host.succeeds("curl", "-sS", "-x", PROXY, "https://c.mesh/"), "who trusts nobody gets nothing"
    assert web.a.host.run("curl", "-sS", "-x", PROXY, "-w", "%{redirect_url}", "http://c.mesh/x") == "https://c.mesh/x"


def test_names_are_found_by_dns_and_the_certificate_is_the_names(web: Web) -> None:
    """Without the proxy: what it does for browsers, anybody can do who trusts the server's certificate."""
    assert web.a.host.run("getent", "ahostsv6", "c.mesh").split()[0] == web.c.address
    with web.serving(web.c.address):
        assert web.a.host.run("curl", "-sS", "--cacert", web.made["certificate"], "https://c.mesh/") == PAGE


def test_the_check_goes_over_the_mesh(web: Web) -> None:
    with web.serving():
        checked = web.a.ctl_json("tls", "check", "c.mesh:443")
    assert (checked["reason"], checked["matched"], checked["changes"]) == ("ok", web.made["record"], [])
    assert web.c.address in checked["connected"]


def test_a_server_with_another_key_is_refused(web: Web, tmp_path: Path) -> None:
    other = Cert("other", "other", names=("c.mesh",))
    with web.serving(tls=context(tmp_path, [other])):
        shown = web.curl("-w", "%{http_code}", "https://c.mesh/")
        checked = web.a.meshctl("tls", "check", "c.mesh:443", check=False)
    assert shown.endswith("502")
    assert "<code>no-match</code>" in shown
    assert PAGE not in shown
    assert "REFUSED (no-match)" in checked
    assert "event=refused" in web.a.log()
    assert "rule=no-match" in web.a.log()


@pytest.mark.parametrize(
    ("address", "status", "rule"),
    [
        ("https://example.com/", "403", "not-mesh"),
        ("https://c.mesh:22/", "403", "port-not-allowed"),
        ("https://127.0.0.1:443/", "403", "not-mesh"),
        ("https://[beef::]:443/", "403", "not-mesh"),
    ],
)
def test_the_proxy_leads_nowhere_else(web: Web, address: str, status: str, rule: str) -> None:
    assert web.curl("-w", "%{http_connect}", "-o", "/dev/null", address, check=False) == status
    eventually(lambda: f"rule={rule}" in web.a.log(), "the log says which rule")


def test_a_name_without_a_server_is_a_page(web: Web) -> None:
    for address, rule in (("https://nobody.mesh/", "name-not-found"), ("https://b.mesh/", "no-usable-records")):
        assert f"<code>{rule}</code>" in web.curl(address)
    assert "<code>connect-failed</code>" in web.curl("https://c.mesh/"), "its server is not running"
