"""Who registers names in a simulation: an owner key, and what a wallet makes of it."""

import random
from dataclasses import dataclass, replace

from meshchain.crypto import ecdsa_public_key, sign_ecdsa
from meshchain.ledger import operations
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Commit, Reveal
from meshchain.ledger.queue import QueueStatus
from meshchain.sim.node import SimNode


@dataclass(frozen=True)
class Registration:
    """What one node has promised to one owner."""

    node: SimNode
    name: str
    owner: bytes
    commit: bytes
    reveal: bytes
    """opids"""

    @property
    def status(self) -> QueueStatus:
        """What the node's queue says of the name's registration now."""
        return self.node.status(self.reveal)

    @property
    def confirmed(self) -> bool:
        return self.status.state == "confirmed"


def register(node: SimNode, name: str, record: Record | None = None) -> Registration:
    """Promise ``name`` to a new owner through the queue of ``node``, as a wallet does."""
    world, chain = node.world, node.run.chain
    rng = random.Random(f"{world.seed}/owner/{node.name}/{name}")
    private, salt = rng.randbytes(31).rjust(32, b"\x01"), rng.randbytes(32)
    owner, life = ecdsa_public_key(private), world.params.consensus.commit_life
    born = life * max(0, chain.tip.height // life - 1)
    commitment = operations.commitment(chain.genesis_id, salt, owner, born, name)
    draft = Reveal(name=name, salt=salt, owner=owner, born=born, record=record or {})
    signature = sign_ecdsa(private, operations.opid(draft, chain.genesis_id))
    commit, reveal = node.submit(Commit(commitment=commitment), replace(draft, signature=signature))
    world.note(node.name, f"promises {name} ({reveal.hex()[:12]})")
    return Registration(node, name, owner, commit, reveal)
