"""The whole way as users go it: a node with a proxy, a name, a key, a server, the check, the policies."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from meshchain.cli.meshctl import meshctl
from meshchain.rpc.client.commandline import run
from tests.node.running import Running
from tests.tls.servers import serving_with
from tests.waiting import free_port
from wallet.main import program


class Shell:
    """Both programs, against one node."""

    def __init__(self, node: Running, capsys: pytest.CaptureFixture[str]) -> None:
        self._common = ["--network", "dev", "--datadir", str(node.datadir), "--rpc", node.client.url, "--json"]
        self._capsys = capsys

    def __call__(self, tool: Any, *args: str, code: int = 0) -> dict[str, Any]:  # noqa: ANN401 - a click command
        self._capsys.readouterr()
        ended = run(tool, [*args, *self._common])
        shown = self._capsys.readouterr()
        assert ended == code, shown
        document = json.loads(shown.out)
        assert isinstance(document, dict)
        return document


def test_from_a_name_to_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with Running(tmp_path / "node", "--proxy", f"127.0.0.1:{port}").wait() as node:
        shell = Shell(node, capsys)
        shell(program, "register", "alice", "--wait")
        made = shell(program, "tls", "alice.mesh", "--out", str(tmp_path / "tls"), "--wait")
        assert made["state"] == "published"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made["certificate"], made["key"])
        with serving_with(context) as server:
            checked = shell(meshctl, "tls", "check", "alice", "--connect", f"127.0.0.1:{server}")
        assert (checked["reason"], checked["matched"], checked["changes"]) == ("ok", made["record"], [])
        root = str(tmp_path / "machine")
        installed = shell(program, "browser", "install", "--proxy", f"127.0.0.1:{port}", "--root", root)
        assert installed["proven"]
        assert shell(program, "browser", "uninstall", "--root", root)["state"] == "uninstalled"
        assert (node.datadir / "dev/tls/issuing.key").stat().st_mode & 0o777 == 0o600
        assert node.stop() == 0
        assert "event=refused" in node.log()
