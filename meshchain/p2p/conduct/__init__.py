"""How peers behave, and what they may cost: ``scores`` (blame, bans) and ``budgets`` (work done for them)."""

from meshchain.p2p.conduct.budgets import Budgets
from meshchain.p2p.conduct.scores import BAN_POINTS, BAN_TIME, Ban, Scores

__all__ = ["BAN_POINTS", "BAN_TIME", "Ban", "Budgets", "Scores"]
