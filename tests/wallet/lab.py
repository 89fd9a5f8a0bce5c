"""A wallet in front of a real ledger: chain, rules and RPC methods in this process, without sockets and threads."""

import asyncio
import json
from dataclasses import replace
from itertools import count
from pathlib import Path

from meshchain.ledger import params as networks
from meshchain.ledger.params import Params
from meshchain.rpc.client.errors import refusal
from meshchain.rpc.client.session import Session
from meshchain.rpc.jsonrpc import Dispatcher
from meshchain.rpc.methods import method_table
from tests.rpc.ledger_node import LedgerNode
from wallet import words
from wallet.context import Options, Wallet
from wallet.derivation import Keyring
from wallet.keystore import kdf
from wallet.keystore.passphrase import Passphrase
from wallet.keystore.store import Keystore
from wallet.remote import Json, Ledger

ALICE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
BOB = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"


LIFE = 12
"""Blocks that a commitment lives in ``network``."""


def network() -> Params:
    """The dev network with short lives and the smallest argon2 memory."""
    dev = networks.load("dev")
    small = replace(dev.consensus, pow_memory_kib=8, commit_depth=2, commit_life=LIFE, expiry=60, grace=10)
    return replace(dev, consensus=small)


class NodeCaller:
    """The client's ``call`` without a socket: requests go through the server's dispatcher as bytes."""

    def __init__(self, node: LedgerNode) -> None:
        self._dispatcher = Dispatcher(method_table(), node, clock=count().__next__)

    def call(self, method: str, *args: Json) -> Json:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": args}
        reply = asyncio.run(self._dispatcher.respond(json.dumps(request).encode(), authenticated=True))
        assert reply.body is not None
        answer = json.loads(reply.body)
        if "error" in answer:
            raise refusal(answer["error"])
        return answer["result"]


class Lab:
    """One node and any number of wallets."""

    def __init__(self, folder: Path, params: Params | None = None) -> None:
        self.folder = folder
        self.params = params or network()
        self.node = LedgerNode(folder, params=self.params)
        self.ledger = Ledger(NodeCaller(self.node), self.params)

    def keys(self, sentence: str = ALICE) -> Keyring:
        return Keyring(words.seed(sentence))

    def wallet(self, owner: str = "alice", *, words_of: str | None = None, wait: bool = False) -> Wallet:
        """The wallet in the folder ``owner``, made from ``words_of`` if it is not there yet. Waiting mines."""
        session = Session()
        session.datadir_option = self.folder / owner
        session.json = True
        session.__dict__["params"] = self.params
        made = Wallet(session, Options(wait=wait), pause=lambda _seconds: self.mine())
        made.__dict__["ledger"] = Ledger(NodeCaller(self.node), self.params)
        made.__dict__["keystore"] = Keystore(made.path, Passphrase(None, {}, None), bytes)
        if words_of is not None:
            made.keystore.create(words_of, lambda: kdf.DEFAULT)
        return made

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.node.mine()

    def forget_queue(self) -> None:
        """As if the node's datadir had been lost: the chain comes back from others, the queue does not."""
        self.node.promised.clear()
