"""What the tasks of gossip mean to a ledger."""

from meshchain.ledger.block import Block
from meshchain.ledger.keeper import Keeper
from meshchain.ledger.pow import check_works
from meshchain.p2p.actions import AdmitOperation, CheckHeaders, CheckWork, ConnectBlock, Task


def perform(keeper: Keeper, task: Task) -> object:
    """Do it; the result that the task promises. RemoteError or LocalError."""
    match task:
        case CheckHeaders(headers=headers):
            return keeper.add_headers(headers)
        case CheckWork(headers=headers):
            return check_works(headers, keeper.chain.params.consensus, keeper.chain.workers)
        case ConnectBlock(raw=raw):
            return keeper.add_block(Block.decode(raw, keeper.chain.params.consensus))
        case AdmitOperation(raw=raw):
            return keeper.send(raw)
