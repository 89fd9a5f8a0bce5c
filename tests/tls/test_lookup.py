"""From the ledger to a verdict: where records are looked for, and what people are told."""

import asyncio
import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from meshchain.ledger.codec import Value
from meshchain.mesh.targets import NoTarget
from meshchain.rpc.jsonrpc import Dispatcher
from meshchain.rpc.methods import method_table
from meshchain.tls.lookup import find_server
from tests.rpc.ledger_node import LedgerNode
from tests.tls.kit import ALONE, Cert, record
from tests.tls.ledger import settled
from tests.tls.servers import serving

GOOD = record(3, 1, 1, ALONE)
OTHER = record(3, 1, 1, Cert("other", "other"))


def entry(label: str, kind: str, text: str, ttl: int = 600) -> Sequence[Value]:
    return (label, kind, ttl, text)


def test_records_of_the_name(tmp_path: Path) -> None:
    node = settled(tmp_path, entry("_443._tcp", "TLSA", str(GOOD)), entry("_25._tcp", "TLSA", str(OTHER)))
    for host in ("alice.mesh", "ALICE.mesh."):
        found = find_server(node.view(), host, 443)
        assert (found.base, found.ip6, found.records, found.ttl) == ("alice.mesh", "eeee::1", (GOOD,), 600)
    assert find_server(node.view(), "alice.mesh", 25).records == (OTHER,)
    assert find_server(node.view(), "alice.mesh", 8443).records == ()


def test_the_end_of_aliases_is_the_base(tmp_path: Path) -> None:
    """R1: records and name are those of the target; those of the alias itself count where the target has none."""
    aliases = entry("www", "CNAME", "web.alice.mesh."), entry("web", "CNAME", "alice.mesh.")
    node = settled(tmp_path / "base", *aliases, entry("_443._tcp", "TLSA", str(GOOD)),
                   entry("_443._tcp.www", "TLSA", str(OTHER)))  # fmt: skip
    found = find_server(node.view(), "www.alice.mesh", 443)
    assert (found.base, found.records) == ("alice.mesh", (GOOD,))
    node = settled(tmp_path / "alias", *aliases, entry("_443._tcp.www", "TLSA", str(OTHER)))
    found = find_server(node.view(), "www.alice.mesh", 443)
    assert (found.base, found.records) == ("www.alice.mesh", (OTHER,))


def test_alias_of_the_records(tmp_path: Path) -> None:
    node = settled(tmp_path, entry("_443._tcp", "CNAME", "keys.alice.mesh."), entry("keys", "TLSA", str(GOOD), 60))
    assert (find_server(node.view(), "alice.mesh", 443).records, find_server(node.view(), "alice.mesh", 443).ttl) == (
        (GOOD,),
        60,
    )


ODD = ("\\001" * 63, "\\255", "a\\.b", "*", "-a", "a-", "\\@")


@pytest.mark.parametrize("label", ODD)
def test_an_alias_of_what_no_certificate_can_be_for(tmp_path: Path, label: str) -> None:
    """It leads to an address, but its text is no name to say to a server: the first one was an error of TLS itself."""
    entries = (
        entry("www", "CNAME", f"{label}.alice.mesh."),
        entry("*", "AAAA", "eeee::1"),
        entry("*", "TLSA", str(GOOD)),
    )
    found = find_server(settled(tmp_path, *entries).view(), "www.alice.mesh", 443)
    assert (found.base, found.ip6, found.records) == ("www.alice.mesh", "eeee::1", ())


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("bob.mesh", "name-not-found"), ("alice.com", "not-mesh"), ("mesh", "not-mesh"), ("", "not-mesh"),
        ("far.alice.mesh", "host-not-found"), ("no.such.alice.mesh", "name-not-found"), ("a..mesh", "bad-name"),
        ("x" * 300, "bad-name"), ("älice.mesh", "name-not-found"), ("ä.far.alice.mesh", "name-not-found"),
    ],
)  # fmt: skip
def test_no_server(tmp_path: Path, host: str, code: str) -> None:
    node = settled(tmp_path, entry("far", "AAAA", "2001:db8::1"))
    with pytest.raises(NoTarget) as caught:
        find_server(node.view(), host, 443)
    assert caught.value.code == code


def checked(node: LedgerNode, port: int) -> dict[str, Any]:
    request = {"jsonrpc": "2.0", "id": 1, "method": "tls_check",
               "params": ["alice", {"port": 443, "connect": f"127.0.0.1:{port}"}]}  # fmt: skip
    dispatcher = Dispatcher(method_table(), node, clock=count().__next__)
    reply = asyncio.run(dispatcher.respond(json.dumps(request).encode(), authenticated=True))
    assert reply.body is not None
    result = json.loads(reply.body)["result"]
    assert isinstance(result, dict)
    return result


def test_check_over_rpc(tmp_path: Path) -> None:
    texts = [str(GOOD), str(OTHER), "1 1 1 " + "00" * 32, str(record(2, 1, 1, ALONE))]
    node = settled(tmp_path, *(entry("_443._tcp", "TLSA", text) for text in texts))
    with serving(tmp_path, [ALONE]) as port:
        found = checked(node, port)
    assert (found["ok"], found["reason"], found["matched"], found["depth"]) == (True, "ok", str(GOOD), 0)
    said = {line["record"]: (line["ok"], line["says"].split(":")[0]) for line in found["records"]}
    assert said[str(GOOD)] == (True, "means the server's own certificate")
    assert said[str(OTHER)] == (False, "no-match")
    assert said[texts[2]] == (False, "unusable")
    assert [change.split(":")[0] for change in found["changes"]] == [f"take out {texts[2]}"]


def test_what_to_publish(tmp_path: Path) -> None:
    node = settled(tmp_path)
    with serving(tmp_path, [ALONE]) as port:
        found = checked(node, port)
    assert (found["ok"], found["reason"]) == (False, "no-usable-records")
    assert str(GOOD) in found["changes"][0]
    assert "_443._tcp.alice.mesh" in found["changes"][0]


def test_agility_is_told(tmp_path: Path) -> None:
    strong = record(3, 1, 2, Cert("other", "other"))
    node = settled(tmp_path, *(entry("_443._tcp", "TLSA", str(one)) for one in (GOOD, strong)))
    with serving(tmp_path, [ALONE]) as port:
        found = checked(node, port)
    assert found["reason"] == "no-match"
    assert "stronger digest" in found["records"][0]["says"]
