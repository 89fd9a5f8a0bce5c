"""A mesh network that needs no authority: names on a proof-of-work ledger, routed by their own keys."""

__version__ = "0.1.0"
