"""A wallet in front of a real ledger: chain, rules and RPC methods in this process, without sockets and threads."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from meshchain.crypto import sign_ed25519
from meshchain.ledger import operations, template
from meshchain.ledger import params as networks
from meshchain.ledger.block import Block
from meshchain.ledger.mempool import Mempool
from meshchain.ledger.params import Params
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.queue import Action, Queue, Send
from meshchain.ledger.store import layout
from meshchain.rpc.api import Pending, QueueStatus
from meshchain.rpc.client.errors import refusal
from meshchain.rpc.client.session import Session
from meshchain.rpc.jsonrpc import Dispatcher
from meshchain.rpc.methods import method_table
from tests.rpc.ledger_node import NODE_SEED, LedgerNode
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


class QueueNode(LedgerNode):
    """The RPC tests' node with the real mempool, queue and templates; stamps are found on the spot."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._open()

    def _open(self) -> None:
        chain, sign = self.chain, partial(sign_ed25519, NODE_SEED)
        key, rng = self.identity().key, random.Random(1)
        self.mempool = Mempool(self.params, chain.workers, chain.stamps_seen)
        self.promises = Queue(chain.store, self.params, chain.genesis_id, node_key=key, sign=sign, rng=rng)

    @property
    def now(self) -> float:
        return self.chain.tip.header.time + 120.0

    def pending(self) -> tuple[Pending, ...]:
        return self.mempool.pending()

    def queue(self) -> tuple[QueueStatus, ...]:
        return self.promises.status(self.chain.next_block())

    async def queue_operations(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        decoded = [operations.decode_draft(draft, self.params.consensus) for draft in drafts]
        return self.promises.submit(decoded, self.chain.next_block(), self.now)

    def mine(self) -> bytes:
        """A block with whatever the queue can bring into it."""
        while actions := self.promises.tick(self.chain.next_block(), self.now):
            for action in actions:
                self._do(action)
        made = template.build(self.chain, self.mempool.select(self.chain.next_block()), self.now)
        memory = self.params.consensus.pow_memory_kib
        nonce, _ = search_nonce(made.header.encode(), memory, 0, 10_000, lambda: False)
        assert nonce is not None
        block = Block(replace(made.header, nonce=nonce), made.operations)
        switch = self.chain.add_block(block, None)
        self.mempool.switched(switch, self.chain.next_block(), self.now)
        self.promises.switched(switch, self.chain.next_block(), self.now)
        return block.header.id

    def _do(self, action: Action) -> None:
        if isinstance(action, Send):
            self.mempool.add(action.operation, self.chain.next_block(), self.now)
            self.promises.sent(action.opid, self.now)
            return
        search = action.search()
        while (piece := search.next_slice(64)) is not None:
            search.feed(piece, *search.run(piece, lambda: False))
        self.promises.stamped(action.opid, search.stamp(action.anchor_height, action.anchor_hash), self.now)

    def forget_queue(self) -> None:
        """As if the datadir had been lost: the chain comes back from others, queue and mempool do not."""
        store = self.chain.store
        store.write({key: None for key, _ in list(store.items(layout.QUEUED))})
        self._open()


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
        self.node = QueueNode(folder, params=self.params)
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
