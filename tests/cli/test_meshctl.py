"""Every command of meshctl, in both forms of output, against the real server."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from meshchain.cli.commands.queue import queue_text
from meshchain.crypto import sign_ecdsa
from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger.operations import Revoke, Transfer
from meshchain.rpc.api import Alarm
from tests.cli.conftest import Shell
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE, BOB


def test_wait(shell: Shell) -> None:
    assert shell.text("wait") == "ready at height 2 of dev\n"
    assert shell.json("wait")["height"] == 2


def test_wait_says_what_is_missing_when_the_time_is_up(shell: Shell) -> None:
    shell.node.synced = False
    code, word, message = shell.error("wait", "--timeout", "0")
    assert (code, word) == (2, "timeout")
    assert "syncing: height 2 of 52" in message
    shell.server.stop()
    code, word, message = shell.error("wait", "--timeout", "0.01")
    assert (code, word) == (2, "timeout")
    assert "Connection refused" in message


def test_status_is_one_screen(shell: Shell) -> None:
    shell.node.standing = (Alarm(code="parked", message="a branch is held back", since=1_790_000_000.0),)
    shell.node.mesh_name = "alice"
    text = shell.text("status")
    for part in ("dev (meshd", "height 2", "done", "on demand", "alice.mesh", "held back (since 2026-09-21 "):
        assert part in text
    assert len(text.splitlines()) < 24
    document = shell.json("status")
    assert document.keys() == {"chain", "node", "identity", "mining", "queue", "names", "uptime", "router"}
    assert document["names"] == []


def test_status_lists_the_names_this_node_works_for(shell: Shell) -> None:
    shell.node.promised = [ALICE.sign(shell.node, Revoke(name="alice", reg=_reg(shell.node), seq=1))]
    assert "alice.mesh  expires in 1000 blocks" in shell.text("status")
    shell.node.mine()
    assert "alice.mesh  revoked, free again in 1049 blocks" in shell.text("status")


def test_status_stays_one_screen_with_many_names(shell: Shell) -> None:
    names = [f"n{number:02d}" for number in range(20)]
    BOB.register(shell.node, *names)
    shell.node.promised = [BOB.sign(shell.node, Revoke(name=n, reg=_reg(shell.node, n), seq=1)) for n in names]
    text = shell.text("status")
    assert len(text.splitlines()) < 24
    assert "and 13 more: see `meshctl names`" in text
    assert len(shell.json("status")["names"]) == 20


def test_status_while_syncing(shell: Shell) -> None:
    shell.node.synced = False
    text = shell.text("status")
    assert "at 2 of 52, 50 blocks to go (fetching blocks)" in text
    assert "unknown until synced" in text
    assert shell.error("show", "alice")[0] == 1


def test_status_notes_another_network(shell: Shell) -> None:
    shell.text("status", "--network", "test")
    assert "this node is on dev, not on test" in shell.err


def test_identity(shell: Shell) -> None:
    me = shell.json("identity")
    assert me["network"] == "dev"
    assert "none: this node is a guest" in shell.text("identity")
    proof = shell.json("identity", "--for", "alice", "--owner", ALICE.key.hex())
    assert (proof["name"], proof["key"], proof["owner"]) == ("alice", me["key"], ALICE.key.hex())
    assert json.loads(shell.text("identity", "--for", "alice", "--owner", ALICE.key.hex())) == proof
    assert shell.error("identity", "--for", "alice")[:2] == (3, "usage")
    assert shell.error("identity", "--for", "alice", "--owner", "00")[0] == 1


def test_show(shell: Shell) -> None:
    text = shell.text("show", "alice.mesh")
    for part in ("alice.mesh", "eeee::1", ALICE.key.hex(), "expires in 1000 blocks", "TXT", "hello"):
        assert part in text
    entry = shell.json("show", "alice")
    assert (entry["ip6"], entry["status"], entry["value"]["dns"]) == ("eeee::1", "active", [["", "TXT", 300, "hello"]])


def test_show_of_an_absent_name_exits_1(shell: Shell) -> None:
    assert shell.error("show", "nobody") == (1, "name-not-found", "nobody.mesh is not registered")
    code, out = shell.run("show", "nobody")
    assert (code, out, shell.err) == (1, "", "meshctl: nobody.mesh is not registered\n")


def test_show_of_an_invalid_name_names_the_rule(shell: Shell) -> None:
    for command in ("show", "history", "proof"):
        assert shell.error(command, "a-")[:2] == (3, "name-edge-hyphen")
    assert shell.error("identity", "--for", "a.b", "--owner", ALICE.key.hex())[:2] == (3, "name-dot")


def test_names_are_read_as_the_wallet_reads_them(shell: Shell) -> None:
    assert shell.json("show", "ALICE.mesh.")["name"] == "alice"
    BOB.register(shell.node, "xn--bcher-kva")
    assert shell.json("show", "b\u00fccher")["name"] == "xn--bcher-kva"
    assert shell.json("proof", "B\u00dcCHER")["present"] is True


def test_a_revoked_name_says_so_once(shell: Shell) -> None:
    ALICE.put(shell.node, Revoke(name="alice", reg=_reg(shell.node), seq=1))
    assert "status       revoked, free again in " in shell.text("show", "alice")


def test_a_record_cannot_steer_the_terminal(shell: Shell) -> None:
    BOB.register(shell.node, "bob", record={"dns": [["", "TXT", 60, "\x1b]0;owned\x07\u202e"]]})
    text = shell.text("show", "bob")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b]0;owned\x07\u202e" in text


def test_names(shell: Shell) -> None:
    BOB.register(shell.node, *(f"n{number:03d}" for number in range(7)))
    rows = shell.json("names")
    assert [row["name"] for row in rows] == ["alice", *(f"n{number:03d}" for number in range(7))]
    assert rows[0].keys() == {"name", "status", "ip6", "owner", "expires", "expires_in"}
    assert [row["name"] for row in shell.json("names", "--prefix", "n00")] == [f"n00{n}" for n in range(7)]
    text = shell.text("names").splitlines()
    assert text[0].split() == ["name", "address", "deadline"]
    assert len(text) == 9
    assert shell.text("names", "--prefix", "zzz") == "no names\n"


def test_names_come_in_pages(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    BOB.register(shell.node, "a", "a-a", "a0", "b", "alice-b")
    monkeypatch.setattr("meshchain.cli.commands.names._PAGE", 2)
    assert [row["name"] for row in shell.json("names")] == ["a", "a-a", "a0", "alice", "alice-b", "b"]


def test_names_that_expire_soon(shell: Shell) -> None:
    for _ in range(30):
        shell.node.mine()
    BOB.register(shell.node, "bob")
    assert [row["name"] for row in shell.json("names", "--expiring", "33h")] == ["alice"]  # 990 blocks of 2 min
    assert [row["name"] for row in shell.json("names", "--expiring", "30d")] == ["alice", "bob"]
    assert shell.json("names", "--expiring", "1h") == []
    assert shell.error("names", "--expiring", "soon")[:2] == (3, "usage")


def test_history(shell: Shell) -> None:
    ALICE.put(shell.node, Transfer(name="alice", reg=_reg(shell.node), seq=1, new_owner=BOB.key))
    rows = shell.json("history", "alice")
    assert [(row["kind"], row["height"], row["owner"]) for row in rows] == [
        ("reveal", 2, ALICE.key.hex()),
        ("transfer", 3, BOB.key.hex()),
    ]
    assert [line.split()[3] for line in shell.text("history", "alice").splitlines()[1:]] == ["reveal", "transfer"]
    assert shell.error("history", "nobody")[:2] == (1, "name-not-found")


def test_queue(shell: Shell) -> None:
    assert shell.text("queue") == "the queue is empty\n"
    shell.node.promised = [ALICE.sign(shell.node, Revoke(name="alice", reg=_reg(shell.node), seq=1))]
    assert shell.text("queue").startswith("revoke alice.mesh: queued\n")
    assert shell.json("queue")[0]["kind"] == "revoke"


def test_the_queue_shows_what_is_under_way_first() -> None:
    rest = {"reason": "in block 7", "next_change": "", "stamp": None, "blocks_to_go": None, "winner": None}
    items = [
        {"kind": "commit", "name": "a", "state": "confirmed", "confirmations": 2, "txid": "11", **rest},
        {"kind": "reveal", "name": "a", "state": "pending", "confirmations": 0, "txid": "22", **rest},
    ]
    first, _, *others, last = queue_text(items).splitlines()
    assert (first, last) == ("reveal a.mesh: pending", "commit a.mesh: confirmed(2), in block 7, txid 11")
    assert "" in others


@pytest.mark.parametrize(("name", "present"), [("alice", True), ("nobody", False)])
def test_proofs_are_verified_here(shell: Shell, name: str, present: bool) -> None:
    document = shell.json("proof", name)
    assert document.keys() == {"name", "present", "height", "root", "proof"}
    assert document["present"] is present
    assert "verified" in shell.err
    assert f"{name}.mesh is {'' if present else 'not '}registered; verified" in shell.text("proof", name)


def test_chain(shell: Shell) -> None:
    assert shell.json("chain")["blocks"] == 2
    assert shell.node.chain.tip.id.hex() in shell.text("chain")
    [tip] = shell.json("chain", "tips")
    assert tip["status"] == "active"
    assert tip["hash"] in shell.text("chain", "tips")
    assert shell.error("chain", "accept", "00" * 32)[0] == 1
    assert shell.error("chain", "accpet")[2] == "no command 'accpet'; did you mean accept?"


def test_chain_check(shell: Shell) -> None:
    assert shell.json("chain", "check")["ok"] is True
    assert shell.text("chain", "check") == "sound: 2 blocks checked, up to height 2\n"


def test_verify(shell: Shell) -> None:
    digest = tagged_hash("message", shell.node.chain.genesis_id, "grüße".encode())
    signature = sign_ecdsa(ALICE.private, digest).hex()
    assert shell.text("verify", "alice", "grüße", signature) == "valid\n"
    assert shell.run("verify", "alice", "other", signature) == (1, "not valid\n")
    code, out = shell.run("verify", "alice", "other", signature, "--json")
    assert (code, json.loads(out)) == (1, {"name": "alice", "valid": False})


def test_rpc_prints_the_bare_result(shell: Shell) -> None:
    assert shell.text("rpc", "getblockcount") == "2\n"
    assert shell.text("rpc", "getbestblockhash") == shell.node.chain.tip.id.hex() + "\n"
    assert shell.json("rpc", "getbestblockhash") == shell.node.chain.tip.id.hex()
    assert json.loads(shell.text("rpc", "getblock", "1", "2"))["height"] == 1
    assert [name["name"] for name in json.loads(shell.text("rpc", "name_scan", "", "5", '{"prefix":"al"}'))] == [
        "alice"
    ]


def test_rpc_reads_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for argv in (["rpc", "getblockhash", "-"], ["rpc", "getblockhash", "--stdin"]):
        monkeypatch.setattr(sys, "stdin", io.StringIO("2\n"))
        assert shell.text(*argv) == shell.node.chain.tip.id.hex() + "\n"
    assert shell.error("rpc", "x", "-", "--stdin")[:2] == (3, "usage")


def test_rpc_takes_parameters_by_name(shell: Shell) -> None:
    assert json.loads(shell.text("rpc", "--named", "getblock", "block=1", "verbosity=2"))["height"] == 1
    assert shell.error("rpc", "--named", "getblock", "1")[:2] == (3, "usage")
    assert shell.error("rpc", "--named", "getblock", "blok=1")[1] == "bad-params"


def test_rpc_refusals(shell: Shell) -> None:
    assert shell.error("rpc", "nonsense")[:2] == (1, "no-such-method")
    assert shell.error("rpc", "getblockhash", "-1")[0] == 1
    code, word, message = shell.error("rpc", "name_show", "123")
    assert (code, word) == (1, "bad-params")
    assert """written '"123"'""" in message
    assert "written" not in shell.error("rpc", "getblockhash", "-1")[2], "a number is what is wanted there"
    assert shell.error("rpc", "name_show", '"123"')[1] == "name-not-found"


def test_stop_needs_the_cookie(shell: Shell, tmp_path: Path) -> None:
    assert shell.error("stop", "--cookie", str(tmp_path / "none"))[:2] == (1, "cookie-required")
    (tmp_path / "old").write_text("__cookie__:old")
    assert shell.error("stop", "--cookie", str(tmp_path / "old"))[:2] == (1, "cookie-refused")
    assert shell.node.stops == 0
    assert shell.text("stop") == "meshd is stopping\n"
    assert shell.node.stops == 1


def test_an_oversize_request(shell: Shell) -> None:
    assert shell.error("rpc", "sendoperation", "00" * 2**20)[:2] == (1, "request-too-large")


def test_as_programs(shell: Shell) -> None:
    """The same through the interpreter's start, the environment and real pipes."""
    command = [sys.executable, "-c", "from meshchain.cli.meshctl import main; main()"]
    done = subprocess.run([*command, "show", "nobody", "--json"], capture_output=True, text=True, env={**os.environ})
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "name-not-found")
    done = subprocess.run([*command, "rpc", "getblockcount"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_meshctl_imports_nothing_heavy() -> None:
    script = (
        "import sys; from meshchain.cli.meshctl import meshctl; from meshchain.rpc.client.commandline import run;"
        "code = run(meshctl, ['--help']); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"trio", "aiohttp", "asyncio", "rich", "dns", "coincurve", "cryptography", "plyvel", "ssl", "structlog"}
    assert not heavy & set(done.stderr.split())


def _reg(node: LedgerNode, name: str = "alice") -> bytes:
    entry = node.view().entry(name)
    assert entry is not None
    return replace(entry).reg
