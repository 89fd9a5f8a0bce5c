"""Stamps: the proof of work of an operation, so that filling blocks costs its sender.

A stamp is eight small puzzles instead of one large one: same mean, but the slowest 5 % of senders wait
1.6 times the mean, not 3 times (``bound``). It lies outside signature and opid, so anyone may re-stamp.

``rules`` says which stamps are good; ``search`` finds one.
"""

from meshchain.ledger.stamps.bound import mean_hashes, quantile_hashes
from meshchain.ledger.stamps.rules import (
    PUZZLES,
    Stamp,
    anchor_heights,
    challenge,
    check_bits,
    check_work,
    meets,
    minimum_bits,
)
from meshchain.ledger.stamps.search import Slice, StampSearch, search

__all__ = [
    "PUZZLES",
    "Slice",
    "Stamp",
    "StampSearch",
    "anchor_heights",
    "challenge",
    "check_bits",
    "check_work",
    "mean_hashes",
    "meets",
    "minimum_bits",
    "quantile_hashes",
    "search",
]
