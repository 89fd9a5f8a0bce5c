"""Owners who register names on a LedgerNode with real keys and signatures."""

from dataclasses import dataclass, replace
from ipaddress import IPv6Address

from meshchain import crypto
from meshchain.crypto.address import node_address
from meshchain.ledger import operations
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Commit, NamedOperation, Operation, Reveal
from meshchain.ledger.record import proof_message
from meshrouter.identity import Identity
from tests.router.control.kit import MeshRouter
from tests.rpc.ledger_node import NODE_SEED, LedgerNode


@dataclass(frozen=True)
class Owner:
    number: int

    @property
    def private(self) -> bytes:
        return self.number.to_bytes(32, "big")

    @property
    def key(self) -> bytes:
        return crypto.ecdsa_public_key(self.private)

    def sign(self, node: LedgerNode, operation: Operation) -> Operation:
        return replace(operation, signature=crypto.sign_ecdsa(self.private, node.opid(operation)))

    def put(self, node: LedgerNode, *unsigned: NamedOperation) -> None:
        """Sign, stamp and mine operations."""
        node.waiting += [node.stamped(self.sign(node, operation)) for operation in unsigned]
        node.mine()

    def register(self, node: LedgerNode, *names: str, record: Record | None = None) -> None:
        """Commit and reveal; without a record the node hosts the name."""
        salt, genesis = bytes(32), node.chain.genesis_id
        commits = [operations.commitment(genesis, salt, self.key, 0, name) for name in names]
        node.waiting += [node.stamped(Commit(commitment=commitment)) for commitment in commits]
        node.mine()
        self.put(
            node,
            *(
                Reveal(
                    name=name,
                    salt=salt,
                    owner=self.key,
                    born=0,
                    record=hosted(node, self, name) if record is None else record,
                )
                for name in names
            ),
        )


def settle_alice(node: LedgerNode) -> None:
    """The node hosts alice, who claims eeee::1; its router is a, the first of the line a-b-c-d."""
    ALICE.register(node, "alice", record=hosted(node, ALICE, "alice", "eeee::1"))
    node.router = MeshRouter("ab", "bc", "cd", seed=NODE_SEED, claimed=IPv6Address("eeee::1").packed)


def settle_bob(node: LedgerNode) -> None:
    """bob is on d at the line's other end, and b is one of bob's hosts: phone.bob."""
    assert node.router is not None
    hosts = [
        _host(node, BOB, "bob", node.router.net[at].env.identity, label) for at, label in (("d", ""), ("b", "phone"))
    ]
    BOB.register(node, "bob", record={"hosts": [*hosts]})


def _host(node: LedgerNode, owner: Owner, name: str, identity: Identity, label: str) -> Record:
    proof = identity.sign(proof_message(node.chain.genesis_id, owner.key, identity.key, name))
    return {"label": label, "key": identity.key, "ip6": identity.address, "zone": 0, "proof": proof}


def hosted(node: LedgerNode, owner: Owner, name: str, claim: str | None = None) -> Record:
    key = crypto.ed25519_public_key(NODE_SEED)
    proof = node.sign_node_proof(owner.key, name)
    ip6 = IPv6Address(claim).packed if claim else node_address(key)
    assert ip6 is not None
    host: Record = {"label": "", "key": key, "ip6": ip6, "zone": 3, "proof": proof}
    return {"hosts": [host], "dns": [["", "TXT", 300, "hello"]]}


ALICE = Owner(0xA11CE)
BOB = Owner(0xB0B)
