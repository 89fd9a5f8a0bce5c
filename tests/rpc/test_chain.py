"""Blocks, headers, tips, checks; the node's identity and control."""

import asyncio
import json
from dataclasses import replace

import pytest

from meshchain import crypto
from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger.block import Block
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Commit
from meshchain.ledger.record import proof_message
from meshchain.ledger.store import layout
from meshchain.rpc.api import Alarm
from tests.rpc.caller import Caller
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE, BOB


def test_the_chain_s_state(rpc: Caller, node: LedgerNode) -> None:
    node.standing = (Alarm(code="parked-reorg", message="look at this", since=1.5),)
    info = rpc.result("getblockchaininfo")
    tip = node.view().tip
    assert info["chain"] == "dev"
    assert info["blocks"] == info["headers"] == rpc.result("getblockcount") == 2
    assert info["bestblockhash"] == rpc.result("getbestblockhash") == tip.id.hex()
    assert info["genesis"] == rpc.result("getblockhash", 0) == node.chain.genesis_id.hex()
    assert (info["bits"], info["difficulty"]) == ("207fffff", 1.0)
    assert int(info["chainwork"], 16) == node.view().work
    assert (info["mediantime"], info["time"]) == (node.view().median_time(), tip.time)
    assert info["warnings"] == ["look at this"]
    assert rpc.result("getnetworkinfo")["warnings"] == [{"code": "parked-reorg", "message": "look at this", "since": 1}]
    assert rpc.result("getpeerinfo") == []
    assert rpc.result("getmininginfo")["reason"] == "on demand"


def test_blocks_in_three_depths(rpc: Caller, node: LedgerNode) -> None:
    block_id = rpc.result("getblockhash", 2)
    raw = bytes.fromhex(rpc.result("getblock", block_id, 0))
    block = Block.decode(raw, node.params.consensus)
    assert block.header.id.hex() == block_id
    brief, full = rpc.result("getblock", 2), rpc.result("getblock", block_id, 2)
    assert brief["tx"] == [operation["txid"] for operation in full["tx"]]
    assert (brief["size"], brief["nTx"], brief["confirmations"], brief["nextblockhash"]) == (len(raw), 1, 1, None)
    assert full["tx"][0]["name"] == "alice"
    assert full["tx"][0]["stamp"]["bits"] == 0
    assert bytes.fromhex(rpc.result("getblockheader", 2, False)) == raw[: Header.SIZE]
    header = rpc.result("getblockheader", rpc.result("getblockhash", 1))
    assert (header["nextblockhash"], header["confirmations"]) == (block_id, 2)
    assert {key: brief[key] for key in header} == rpc.result("getblockheader", 2)


@pytest.mark.parametrize("block", [3, 2**32 - 1, "00" * 32])
def test_unknown_blocks(rpc: Caller, block: object) -> None:
    for method in ("getblock", "getblockheader"):
        error = rpc.error(method, block)
        assert (error["code"], error["data"]["code"]) == (-4, "block-not-found")


@pytest.mark.parametrize("block", [-1, 2**32, "00", None, 1.0, True])
def test_what_names_no_block(rpc: Caller, block: object) -> None:
    assert rpc.error("getblock", block)["code"] == -32602


def test_a_fork_without_bodies(rpc: Caller, node: LedgerNode) -> None:
    sibling = node.mined(node.view().tip.state_root)
    node.chain.add_headers([sibling], None)
    node.waiting.append(node.stamped(Commit(commitment=bytes(32))))
    node.mine()
    tips = {tip["status"]: tip for tip in rpc.result("getchaintips")}
    assert tips.keys() == {"active", "headers-only"}
    assert (tips["headers-only"]["hash"], tips["headers-only"]["branchlen"]) == (sibling.id.hex(), 1)
    assert (tips["active"]["hash"], tips["active"]["branchlen"]) == (rpc.result("getbestblockhash"), 0)
    error = rpc.error("getblock", sibling.id.hex())
    assert error["data"]["code"] == "block-body-missing"
    shown = rpc.result("getblockheader", sibling.id.hex())
    assert (shown["confirmations"], shown["nextblockhash"]) == (-1, None)


def test_headers_ahead_do_not_hide_the_active_tip(rpc: Caller, node: LedgerNode) -> None:
    tip = node.view().tip_id
    ahead = node.mined(node.view().tip.state_root)
    node.chain.add_headers([ahead], None)
    node.chain.activate()  # the view is made anew
    assert [(row["status"], row["hash"], row["branchlen"]) for row in rpc.result("getchaintips")] == [
        ("headers-only", ahead.id.hex(), 1),
        ("active", tip.hex(), 0),
    ]


def test_check(rpc: Caller, node: LedgerNode) -> None:
    assert rpc.result("checkchain") == {"ok": True, "height": 2, "checked": 2, "difference": None}
    assert rpc.result("name_checkdb") is True
    node.chain.store.write({layout.COMMITMENT + bytes(32): bytes(5)})
    node.mine()
    report = rpc.result("checkchain")
    assert report["ok"] is False
    assert report["difference"]
    assert rpc.result("name_checkdb") is False


def test_checks_at_the_same_time_share_one_run(rpc: Caller, node: LedgerNode) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "checkchain"}).encode()

    async def three() -> list[bytes | None]:
        replies = await asyncio.gather(*(rpc.dispatcher.respond(body, authenticated=False) for _ in range(3)))
        return [reply.body for reply in replies]

    bodies = asyncio.run(three())
    assert node.checks == 1
    assert len(set(bodies)) == 1
    assert asyncio.run(three()) == bodies
    assert node.checks == 2


def test_generate_and_accept(rpc: Caller, node: LedgerNode) -> None:
    made = rpc.result("generate", 3)
    assert rpc.result("getblockcount") == 5
    assert made[-1] == rpc.result("getbestblockhash")
    assert rpc.error("generate", 0)["code"] == -32602
    error = rpc.error("acceptchain", "00" * 32)
    assert (error["code"], error["data"]["code"]) == (-26, "not-parked")


def test_identity_and_node_proof(rpc: Caller, node: LedgerNode) -> None:
    me = rpc.result("mesh_identity")
    assert (me["name"], me["guest"], me["zone"], me["network"]) == (None, True, 3, "dev")
    node.mesh_name = "alice"
    assert rpc.result("mesh_identity")["guest"] is False
    signed = rpc.result("signnodeproof", "bob.mesh", BOB.key.hex())
    assert {key: signed[key] for key in ("key", "ip6", "zone")} == {key: me[key] for key in ("key", "ip6", "zone")}
    key = bytes.fromhex(signed["key"])
    message = proof_message(node.chain.genesis_id, BOB.key, key, "bob")
    assert crypto.verify_ed25519(key, message, bytes.fromhex(signed["proof"]))
    assert rpc.error("signnodeproof", "bob", "02" + "ff" * 32)["data"]["code"] == "owner-key"


def test_messages_are_verified_against_the_present_owner(rpc: Caller, node: LedgerNode) -> None:
    text = "grüße 🙂"
    digest = tagged_hash("message", node.chain.genesis_id, text.encode())
    signature = crypto.sign_ecdsa(ALICE.private, digest).hex()
    assert rpc.result("verifymessage", "alice.mesh", signature, text) is True
    assert rpc.result("verifymessage", ALICE.key.hex(), signature, text) is True
    assert rpc.result("verifymessage", BOB.key.hex(), signature, text) is False
    assert rpc.result("verifymessage", "alice", signature, text + ".") is False
    assert rpc.error("verifymessage", "bob", signature, text)["code"] == -4
    assert rpc.error("verifymessage", "alice", signature[2:], text)["code"] == -32602
    assert rpc.error("verifymessage", "x" * 66, signature, text)["data"]["code"] == "name-length"
    node.synced = False
    assert rpc.result("verifymessage", ALICE.key.hex(), signature, text) is True


def test_control(rpc: Caller, node: LedgerNode) -> None:
    assert rpc.result("uptime") >= 0
    assert "name_show name [options]" in rpc.result("help")
    assert "-28" in rpc.result("help", "name_show")
    assert rpc.error("help", "x" * 5000)["data"]["code"] == "no-such-method"
    rpc.result("stop")
    assert node.stops == 1


def test_a_node_with_a_future_start_time_has_no_negative_uptime(rpc: Caller, node: LedgerNode) -> None:
    node.started = 1e12
    assert rpc.result("uptime") == 0


def test_alarms_are_values() -> None:
    alarm = Alarm(code="a", message="b", since=2.9)
    assert replace(alarm, since=3.0).to_json()["since"] == 3
