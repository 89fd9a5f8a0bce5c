"""Gossip's speed and cost: ``make bench-gossip``."""
