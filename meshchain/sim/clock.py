"""A node's clocks in virtual time."""

from meshchain.sim.heap import Heap


class VirtualClock:
    """``epoch``: unix time at virtual 0; ``skew``: by how much this node's wall clock is wrong (s), at any time."""

    def __init__(self, heap: Heap, epoch: float) -> None:
        self._heap = heap
        self._epoch = epoch
        self.skew = 0.0
        self.credible = True
        """Whether the kernel calls the wall clock synchronised."""

    def now(self) -> float:
        return self._epoch + self._heap.now + self.skew

    def running(self) -> float:
        return self._heap.now

    def synchronised(self) -> bool:
        return self.credible
