"""When and how hard this node mines: decisions only. The owner hashes (``ledger.pow``).

``policy`` decides, ``waiting`` keeps the random wait of a dev network, ``pace`` turns a duty into slices and pauses.
"""

from meshchain.ledger.mining.pace import Pace
from meshchain.ledger.mining.policy import Decision, MiningInputs, decide
from meshchain.ledger.mining.waiting import ForeignWait

__all__ = ["Decision", "ForeignWait", "MiningInputs", "Pace", "decide"]
