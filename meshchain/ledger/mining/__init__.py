"""When and how hard this node mines: decisions only. The owner hashes (``ledger.pow``).

``policy`` decides, ``outlook`` gathers what it looks at, ``waiting`` keeps the random wait of a dev network, ``pace``
turns a duty into slices and pauses.
"""

from meshchain.ledger.mining.outlook import ALONE, Company, Outlook, waits_for_block
from meshchain.ledger.mining.pace import Pace
from meshchain.ledger.mining.policy import Decision, MiningInputs, decide
from meshchain.ledger.mining.waiting import ForeignWait

__all__ = [
    "ALONE",
    "Company",
    "Decision",
    "ForeignWait",
    "MiningInputs",
    "Outlook",
    "Pace",
    "decide",
    "waits_for_block",
]
