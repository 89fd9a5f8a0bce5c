"""What happens to eight nodes, wherever they run: blocks made once, operations stamped once, a kill, a reorganisation.

The blocks are mined here under the dev network's rules, so every id in the script is known beforehand, and a network of
nodes that do not mine must end at exactly these. Two branches part at height 3::

    1  2  3 -- 4 5        alice is the first owner's; two more of the first owner's operations
            \\- 4 5 6 7    alice is the second owner's

All nodes but one, which is down, go through the first branch. What they know of it that holds on the second, too, must
be back in every mempool, and what does not must be gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from meshchain.ledger import operations, params
from meshchain.ledger.operations import Operation
from meshchain.ledger.store import Reader, layout
from tests.ledger.kit import Lab, Owner

COUNT: Final = 8
STEPS: Final = (1, 3)
"""Node n has the nodes n + 1 and n + 3, modulo 8, as its configured peers."""
SLEEPER: Final = 5

Rows = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class End:
    """Where a node has come to."""

    tip: bytes
    pending: frozenset[bytes]
    """Wids in its mempool."""


class Network(Protocol):
    """Eight nodes, numbered from 0, that do not mine."""

    def start(self) -> None:
        """All eight, and wait until each has two peers."""

    def deliver(self, to: int, lab: Lab) -> None:
        """A stranger connects to a node and has the lab's chain to show; wait until the node is at its tip."""

    def give(self, to: int, operation: Operation) -> None:
        """As ``sendoperation``."""

    def kill(self, which: int) -> None: ...

    def restart(self, which: int) -> None: ...

    def come_to(self, end: End, without: int | None = None) -> None:
        """Wait until all nodes (but one) are there."""

    def stop(self) -> Sequence[Rows]:
        """End all nodes in peace; of each what its store holds of the active chain, see ``rows``."""


def rows(store: Reader) -> Rows:
    """The tip, the active chain's ids, and everything that follows from its blocks, as it lies in a store."""
    return tuple(row for prefix in (layout.TIP, layout.MAIN, *layout.DERIVED) for row in store.items(prefix))


class Script:
    """The blocks and operations; ``play`` lets them happen."""

    def __init__(self) -> None:
        self.common = Lab(params.load("dev"))
        self._begin()
        self.left, self.right = self.common.fork(), self.common.fork()
        self._first_branch()
        self._second_branch()
        self.last = self.right.fork()
        self._one_more()

    def play(self, network: Network) -> Sequence[Rows]:
        """What the stores of all nodes hold at the end."""
        network.start()
        self._branch_off(network)
        self._reorganise(network)
        self._wake_up(network)
        return network.stop()

    # --- making it -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Names that both branches have, and two commits for one name."""
        lab, (one, two, _) = self.common, self._owners
        names = ("bob", "fred", "hugo")
        _mine(lab, one.commit("alice"), two.commit("alice"), *(one.commit(name) for name in names))
        _mine(lab, *(one.reveal(name) for name in names))
        _mine(lab)

    def _first_branch(self) -> None:
        lab, (one, _, three) = self.left, self._owners
        reveal = one.reveal("alice")
        self.returning = _mine(lab, one.transfer("hugo", one.reg("hugo"), 1, three.key), reveal)[:1]
        self.returning += _mine(lab, one.commit("dora"), one.update("bob", one.reg("bob"), 1))
        self.loose: tuple[Operation, ...] = (
            lab.stamp(three.commit("erin")),
            lab.stamp(one.renew("fred", one.reg("fred"), lab.entry("fred").expires)),
        )
        self.doomed = lab.stamp(one.update("alice", one.reg("alice"), 1))

    def _second_branch(self) -> None:
        lab, (_, two, _) = self.right, self._owners
        _mine(lab, two.reveal("alice"))
        _mine(lab, two.commit("carol"))
        _mine(lab, two.reveal("carol"))
        self.late = lab.stamp(two.update("carol", two.reg("carol"), 1))

    def _one_more(self) -> None:
        """A block of an operation that all mempools hold and of one that none has seen."""
        lab, (_, two, _) = self.last, self._owners
        (self.known,) = (op for op in self.returning if op.kind == "commit")
        lab.mine(self.known, lab.stamp(two.commit("gina")))

    @property
    def _owners(self) -> tuple[Owner, Owner, Owner]:
        return self.common.owner(1), self.common.owner(2), self.common.owner(3)

    # --- letting it happen ---------------------------------------------------------------------------------

    def _branch_off(self, network: Network) -> None:
        network.deliver(0, self.common)
        network.come_to(_end(self.common))
        network.kill(SLEEPER)
        network.deliver(0, self.left)
        network.come_to(_end(self.left), without=SLEEPER)

    def _reorganise(self, network: Network) -> None:
        for node, operation in zip((3, 6, 2), (*self.loose, self.doomed), strict=True):
            network.give(node, operation)
        network.come_to(_end(self.left, *self.loose, self.doomed), without=SLEEPER)
        network.deliver(4, self.right)
        network.come_to(_end(self.right, *self.loose, *self.returning), without=SLEEPER)

    def _wake_up(self, network: Network) -> None:
        network.restart(SLEEPER)
        network.come_to(_end(self.right, *self.loose, *self.returning))
        network.give(6, self.late)
        network.deliver(1, self.last)
        left_over = (op for op in self.returning if op is not self.known)
        network.come_to(_end(self.last, *self.loose, *left_over, self.late))


def _mine(lab: Lab, *drafts: Operation) -> tuple[Operation, ...]:
    """Stamp operations and put them into the next block, in this order."""
    stamped = tuple(map(lab.stamp, drafts))
    lab.mine(*stamped)
    return stamped


def _end(lab: Lab, *pending: Operation) -> End:
    return End(lab.chain.tip.id, frozenset(map(operations.wid, pending)))
