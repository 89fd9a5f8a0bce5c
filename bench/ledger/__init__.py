"""The ledger's speed and memory: ``make bench-ledger``."""
