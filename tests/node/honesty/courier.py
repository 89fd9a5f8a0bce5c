"""A stranger at a real node's door who has a chain to show, and answers questions about it as any node does."""

from dataclasses import dataclass, replace

from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.index import IndexEntry
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.mempool import Pending
from meshchain.p2p import serving
from meshchain.p2p.actions import Action, Send
from meshchain.p2p.messages import BlockMessage, GetBlocks, GetHeaders, Message
from meshchain.service.facts import LedgerFacts
from tests.node.attacker import Attacker


@dataclass
class _Shelf:
    """A chain as a ledger's owner publishes it."""

    chain: Chain
    view: ChainView
    best_header: IndexEntry
    pending: tuple[Pending, ...] = ()


class Courier(Attacker):
    """Honest, for once; connects to the node at ``port``."""

    def __init__(self, port: int, chain: Chain) -> None:
        super().__init__(port)
        self._facts = LedgerFacts(_Shelf(chain, chain.view(), chain.best_header))
        self._brought_all = False

    def bring(self) -> None:
        """Greet, and answer until the tip's block has been asked for and sent."""
        tip = self._facts.tip()
        self.greet(lambda version: replace(version, height=tip.height, work=tip.work))
        while not self._brought_all:
            while self.got:
                self._answer(self.got.pop(0))
            assert self._brought_all or self._pump(), "the node closed before it had the chain"

    def _answer(self, message: Message) -> None:
        """Whatever else a node says is not for somebody with nothing but blocks."""
        actions: list[Action] = []
        if isinstance(message, GetHeaders):
            actions = serving.headers(self._facts, 0, message)
        elif isinstance(message, GetBlocks):
            actions = serving.blocks(self._facts, 0, message)
        answers = [action.message for action in actions if isinstance(action, Send)]
        self.send(*answers)
        last = self._facts.block_bytes(self._facts.tip().id)
        self._brought_all |= any(isinstance(answer, BlockMessage) and answer.raw == last for answer in answers)
