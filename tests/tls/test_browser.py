"""``meshwallet browser``: what it writes, how it proves it, what it leaves alone; and a real browser."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio

from meshchain.rpc.client.commandline import run
from meshchain.tls import authority
from tests.tls import chromium
from tests.tls.kit import Cert, record
from tests.tls.servers import BODY
from tests.tls.test_proxy import GOOD, NOW, OTHER, Lab, page_by, running, tls_server
from wallet.browser import policies, proof
from wallet.browser.policies import Facts
from wallet.errors import RefusalError
from wallet.main import program

FACTS = Facts(authority.create(NOW, "test").root_pem, "http://127.0.0.1:8336/proxy.pac")
PATH = "/etc/firefox/policies/meshchain-authority.crt"


def test_chromium_policy_and_back() -> None:
    assert policies.chromium_facts(policies.chromium(FACTS)) == FACTS
    constraints = json.loads(policies.chromium(FACTS))["CACertificatesWithConstraints"][0]["constraints"]
    assert constraints == {"permitted_dns_names": ["mesh"]}


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"ProxySettings": {}}', "no json"])
def test_no_policy_of_ours(text: str) -> None:
    assert policies.chromium_facts(text) is None


@pytest.mark.parametrize(
    "before",
    [
        None,
        '{"policies": {"DisableTelemetry": true}}',
        '{"policies": {"Certificates": {"ImportEnterpriseRoots": true, "Install": ["/other.crt"]}}}',
    ],
)
def test_firefox_keeps_what_others_say(before: str | None) -> None:
    after = policies.firefox(before, PATH, FACTS.pac)
    assert policies.firefox(after, PATH, FACTS.pac) == after
    assert policies.has_firefox(after, PATH)
    rest = policies.without_firefox(after, PATH)
    assert (rest and json.loads(rest)) == (before and json.loads(before))


@pytest.mark.parametrize("text", ['{"policies": {"Proxy": {"Mode": "manual"}}}', "no json", "[]", '{"policies": []}'])
def test_firefox_refuses_what_it_would_break(text: str) -> None:
    with pytest.raises(RefusalError) as caught:
        policies.firefox(text, PATH, FACTS.pac)
    assert caught.value.code == "browser-policy"
    assert not policies.has_firefox(text, PATH)


def test_an_unlimited_authority_is_not_installed() -> None:
    with pytest.raises(RefusalError) as caught:
        proof.limited_root(Cert("root", "root", ca=True, at=NOW).pem)
    assert caught.value.code == "authority-not-limited"
    with pytest.raises(RefusalError):
        proof.limited_root(b"junk")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Hands:
    """Types commands for the machine in ``root``."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    async def __call__(self, *args: str) -> tuple[int, dict[str, Any]]:
        argv = ["browser", *args, "--root", str(self.root), "--json"]
        with structlog.testing.capture_logs():  # the proxy in this process would write between the lines
            code = await trio.to_thread.run_sync(lambda: run(program, argv))
        return code, json.loads(self._capsys.readouterr().out)


async def test_install_status_uninstall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hands = Hands(tmp_path / "machine", capsys)
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD)) as lab:
        assert (await hands("status"))[0] == 1
        code, said = await hands("install", "--proxy", str(lab.service.address))
        assert (code, said["proven"], said["http_status"]) == (0, True, 502)
        assert len(said["changed"]) == 3
        code, said = await hands("status")
        assert (code, said["state"], said["firefox"], said["chromium"]) == (0, "status", True, True)
    code, said = await hands("status")
    assert (code, said["error"]["code"]) == (1, "not-proven")
    code, said = await hands("uninstall")
    assert (code, said["state"], len(said["changed"])) == (0, "uninstalled", 3)
    assert files_in(hands.root) == []


async def test_a_proxy_with_another_authority_is_not_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hands = Hands(tmp_path / "machine", capsys)
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        await hands("install", "--proxy", str(lab.service.address))
        lab.service._authority = authority.create(NOW, "another")
        code, said = await hands("status")
    assert (code, said["error"]["code"]) == (1, "not-proven")


async def test_no_proxy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = await Hands(tmp_path, capsys)("install", "--proxy", "127.0.0.1:9")
    assert (code, said["error"]["code"]) == (1, "proxy-unreachable")
    assert files_in(tmp_path) == []


async def _shown(lab: Lab, hands: Hands, folder: Path, address: str, *options: str) -> str:
    await hands("install", "--proxy", str(lab.service.address))
    etc = hands.root / "etc/chromium"
    return await trio.to_thread.run_sync(chromium.dom, etc, folder / "home", address, *options)


@pytest.mark.root
async def test_chromium_shows_what_the_ledger_vouches_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chromium.skip_without()
    hands = Hands(tmp_path / "machine", capsys)
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD)) as lab:
        assert BODY.decode() in await _shown(lab, hands, tmp_path, "https://alice.mesh/")


@pytest.mark.root
async def test_chromium_is_refused_the_wrong_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chromium.skip_without()
    hands = Hands(tmp_path / "machine", capsys)
    async with running(tmp_path, [record(3, 1, 1, OTHER)], tls_server(tmp_path, GOOD)) as lab:
        shown = await _shown(lab, hands, tmp_path, "https://alice.mesh/")
    assert BODY.decode() not in shown
    assert "no-match" in shown


@pytest.mark.root
async def test_chromium_takes_our_authority_for_mesh_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server of this machine with a leaf of our authority for localhost: an address that goes direct."""
    chromium.skip_without()
    hands = Hands(tmp_path / "machine", capsys)
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        lab.handler = page_by(lab.authority.context("localhost", NOW))
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(partial(trio.serve_tcp, lab.handler, 0, host="127.0.0.1"))
            port = listeners[0].socket.getsockname()[1]
            address = f"https://localhost:{port}/"
            assert BODY.decode() not in await _shown(lab, hands, tmp_path, address)
            assert BODY.decode() in await _shown(lab, hands, tmp_path, address, "--ignore-certificate-errors")
            nursery.cancel_scope.cancel()
