"""``meshctl peers``: columns that people read, and everything for programs."""

import time
from typing import Any

from tests.cli.conftest import Shell

GOOD = {
    "id": 1,
    "address": "192.0.2.1:9337",
    "direction": "out",
    "purpose": "configured",
    "state": "ready",
    "key": "ab" * 32,
    "agent": "meshchain/0.1.0",
    "height": 1207,
    "sent": 12_345,
    "received": 678,
    "ping_ms": 3.21,
    "score": 0,
    "reason": "",
    "seconds": 125,
}
BAD = {**GOOD, "id": 22, "direction": "in", "purpose": "inbound", "key": "cd" * 32, "address": "192.0.2.77:50123"}
BAD |= {"score": 20, "reason": "block-failed: the peer is on a branch with an invalid block", "ping_ms": None}
BAD |= {"state": "greeting", "height": None}


def test_nobody(shell: Shell) -> None:
    assert shell.text("peers") == "no peers\n"
    assert shell.json("peers") == {"peers": [], "banned": []}


def test_a_table_that_fits_a_screen(shell: Shell) -> None:
    shell.node.peer_rows = (GOOD, BAD)
    head, good, bad = shell.text("peers").splitlines()
    assert head.split()[:4] == ["peer", "key", "address", "dir"]
    assert " ".join(good.split()) == "1 abababab 192.0.2.1:9337 out ready, configured 1207 12.3 0.7 3.2 2 min 0"
    assert bad.endswith("2 min  20: block-failed: the peer is on a branch with an invalid block")
    assert good.index("12.3") + len("12.3") == bad.index("12.3") + len("12.3") == head.index("out kB") + len("out kB")
    assert len(good) <= 120


def test_bans_have_reasons(shell: Shell) -> None:
    ban: dict[str, Any] = {"who": "192.0.2.9", "kind": "host", "until": int(time.time()) + 7300, "reason": "malformed"}
    shell.node.ban_rows = (ban, {**ban, "who": "ef" * 32, "kind": "key"})
    lines = shell.text("peers").splitlines()
    assert lines[:3] == ["no peers", "", lines[2]]
    assert lines[2].split() == ["banned", "for", "because"]
    assert "192.0.2.9" in lines[3]
    assert lines[4].startswith("efefefefefefefef…  2 h 1 min  malformed")
    assert shell.json("peers")["banned"][0] == ban


def test_programs_get_every_column(shell: Shell) -> None:
    shell.node.peer_rows = (GOOD,)
    assert shell.json("peers")["peers"] == [GOOD]
