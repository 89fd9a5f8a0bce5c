"""A stream of registrations for a running node: drafts as a wallet makes them."""

from meshchain import crypto
from meshchain.ledger import operations
from meshchain.ledger.operations import Commit, Reveal
from tests.ledger.kit import Owner
from tests.node.running import Running


def drafts(node: Running, name: str, number: int) -> list[str]:
    """Commit and signed reveal of ``name``, unstamped, as hex; owner key number ``number``."""
    genesis = bytes.fromhex(node.call("getblockhash", 0))
    owner = Owner(number, genesis)
    life = 100
    born = life * max(0, node.call("getblockcount") // life - 1)
    salt = crypto.hashing.tagged_hash("test-salt", name.encode())
    commitment = operations.commitment(genesis, salt, owner.key, born, name)
    reveal = owner.sign(Reveal(name=name, salt=salt, owner=owner.key, born=born, record={}))
    return [operations.encode(Commit(commitment=commitment)).hex(), operations.encode(reveal).hex()]
