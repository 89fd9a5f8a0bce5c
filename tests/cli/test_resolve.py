"""``meshctl resolve``: what DNS answers, by RPC."""

from tests.cli.conftest import Shell


def test_an_address_and_its_name(shell: Shell) -> None:
    assert "eeee::1" in shell.text("resolve", "alice")
    assert shell.json("resolve", "alice.mesh", "TXT")["answer"] == [
        {"name": "alice.mesh.", "type": "TXT", "ttl": 300, "data": '"hello"'}
    ]
    assert shell.json("resolve", "eeee::1")["answer"][0]["data"] == "alice.mesh."


def test_absence(shell: Shell) -> None:
    code, out = shell.run("resolve", "nobody")
    assert (code, out.splitlines()[0]) == (1, "nobody.mesh. AAAA: NXDOMAIN")
    assert shell.run("resolve", "alice", "SRV")[0] == 1
    assert shell.error("resolve", "a..b")[:2] == (1, "bad-name")
    assert shell.error("resolve", "alice", "NONSENSE")[:2] == (1, "dns-type")
    assert shell.error("resolve", "2001:db8::1")[:2] == (1, "not-mesh")


def test_while_syncing(shell: Shell) -> None:
    shell.node.synced = False
    assert shell.run("resolve", "alice")[0] == 1


def test_a_name_in_grace_resolves_with_a_warning(shell: Shell) -> None:
    entry = shell.node.view().entry("alice")
    assert entry is not None
    while shell.node.view().height < entry.expires:
        shell.node.mine()
    assert shell.json("resolve", "alice")["answer"]
    assert f"expired at height {entry.expires}" in shell.err
