"""``meshctl tls check``."""

import json

import pytest

from meshchain.cli.commands.tls import parse_target
from meshchain.rpc.client.errors import WrongUse
from tests.cli.conftest import Shell


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("alice", "alice.mesh", 443), ("alice.mesh", "alice.mesh", 443), ("alice.mesh:8443", "alice.mesh", 8443),
        ("www.alice:1", "www.alice.mesh", 1), ("bücher", "xn--bcher-kva.mesh", 443),
    ],
)  # fmt: skip
def test_targets(text: str, host: str, port: int) -> None:
    assert parse_target(text) == (host, port)


@pytest.mark.parametrize("text", ["alice:", "alice:0", "alice:65536", "alice:x", "alice:1:2", "-", ""])
def test_no_targets(text: str) -> None:
    with pytest.raises(WrongUse):
        parse_target(text)


def test_nobody_there(shell: Shell) -> None:
    asked = "tls", "check", "alice", "--connect", "127.0.0.1:9"
    code, out = shell.run(*asked, "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["reason"], said["host"]) == (1, False, "connect-failed", "alice.mesh")
    code, out = shell.run(*asked)
    assert code == 1
    assert "REFUSED (connect-failed)" in out
