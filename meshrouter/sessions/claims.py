"""May this key speak for this address? The ledger is the own one, asked through ``Directory``."""

from enum import Enum

from meshchain.crypto.address import is_claimable, node_address
from meshrouter.directory import Directory, Role


class Claim(Enum):
    HELD = "held"
    NOT_HELD = "not-held"
    UNKNOWN = "unknown"
    """The ledger has been asked and has not answered yet."""


def claim_of(directory: Directory, key: bytes, address: bytes) -> Claim:
    """A derived address is its key's (all 32 bytes make it); a claimed one is whose name has it. Barred keys speak for
    nobody."""
    if directory.role(key) is Role.BARRED:
        return Claim.NOT_HELD
    if not is_claimable(address):
        return Claim.HELD if node_address(key) == address else Claim.NOT_HELD
    holder = directory.holder(address)
    if not directory.is_answered(address):
        return Claim.UNKNOWN
    return Claim.HELD if holder == key else Claim.NOT_HELD
