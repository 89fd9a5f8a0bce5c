"""One simulated node: a machine, and what runs on it from start to end, again and again.

Theory of operation
-------------------
What a node *is* (``machine``: name, key, address, configured peers, clock, store) outlives its runs; a *run* (``run``)
is everything a process has in memory. ``kill`` drops the run between two events, as ``kill -9`` does; whatever it had
planned is void, for every event of a run asks first whether that run is still alive. ``stop`` is the peaceful end:
the run first saves what gossip remembers, as the real node does. ``start`` builds the next run on the store that is
left. (The store keeps unsynced writes: what a power cut loses is the matter of the store's own tests.)
"""

from dataclasses import dataclass

from meshchain.ledger import operations
from meshchain.ledger.operations import Operation
from meshchain.ledger.queue import QueueStatus
from meshchain.sim.machine import Machine
from meshchain.sim.run import Running


@dataclass(eq=False, kw_only=True)
class SimNode(Machine):
    """A node of ``world``."""

    runs: int = 0
    """How often it was started."""
    running: Running | None = None

    @property
    def run(self) -> Running:
        """The present run; an error while the node is down."""
        if self.running is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.running

    def start(self) -> None:
        """Begin a run on what the store holds."""
        if self.running is not None:
            raise RuntimeError(f"{self.name} is running")
        self.runs += 1
        self.running = Running(self, self.runs)
        self.note(f"starts at height {self.height}")
        self.running.begin()

    def kill(self) -> None:
        """Drop everything that is not in the store, without a word; the machine resets the connections."""
        self._end("killed")

    def stop(self) -> None:
        """End as after SIGTERM."""
        self.run.save()
        self._end("stopped")

    def _end(self, how: str) -> None:
        run, self.running = self.run, None
        run.drop()
        self.note(how)

    # --- what people see ---------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        return self.run.keeper.chain.tip.height

    @property
    def tip_id(self) -> bytes:
        return self.run.keeper.chain.tip.id

    def owner_of(self, name: str) -> bytes | None:
        """Owner key of a name as this node sees it."""
        entry = self.run.keeper.chain.state.entry(name)
        return None if entry is None else entry.owner

    def submit(self, *drafts: Operation) -> tuple[bytes, ...]:
        """Queue drafts, as a wallet does through RPC; their opids."""
        return self.run.change(self.run.keeper.submit, [operations.encode(draft) for draft in drafts])

    def status(self, opid: bytes) -> QueueStatus:
        """What the queue says of an operation; KeyError for one it does not hold."""
        found = [status for status in self.run.statuses if status.opid == opid]
        if not found:
            raise KeyError(opid.hex())
        return found[0]
