"""meshctl as users run it, against the real RPC server over a real ledger in memory."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meshchain.cli.meshctl import meshctl
from meshchain.rpc.client.commandline import run
from meshchain.rpc.server import RpcServer
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import settle_alice


@dataclass
class Shell:
    """Runs meshctl with the options that lead to ``node``."""

    node: LedgerNode
    server: RpcServer
    capsys: pytest.CaptureFixture[str]
    err: str = ""

    def run(self, *argv: str) -> tuple[int, str]:
        """Exit code and stdout; stderr stays in ``err``."""
        code = run(meshctl, [*argv])
        shown = self.capsys.readouterr()
        self.err = shown.err
        return code, shown.out

    def text(self, *argv: str) -> str:
        code, out = self.run(*argv)
        assert code == 0, self.err
        return out

    def json(self, *argv: str) -> Any:  # noqa: ANN401 (any JSON)
        return json.loads(self.text(*argv, "--json"))

    def error(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, error code, message."""
        code, out = self.run("--json", *argv)
        error = json.loads(out)["error"]
        return code, error["code"], error["message"]


@pytest.fixture
def node(tmp_path: Path) -> LedgerNode:
    made = LedgerNode(tmp_path / "dev")
    made.datadir.mkdir()
    settle_alice(made)
    return made


@pytest.fixture
def shell(
    node: LedgerNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    server = RpcServer(node, "127.0.0.1", 0)
    server.start()
    monkeypatch.setenv("MESH_NETWORK", "dev")
    monkeypatch.setenv("MESH_DATADIR", str(tmp_path))
    monkeypatch.setenv("MESH_RPC", server.url)
    yield Shell(node, server, capsys)
    server.stop()
