"""The queue: what this node promised to bring into the chain. ``machine`` holds its theory of operation."""

from meshchain.ledger.queue.actions import Action, Send, Stamp
from meshchain.ledger.queue.machine import Queue
from meshchain.ledger.queue.status import QueueStatus, StampProgress

__all__ = ["Action", "Queue", "QueueStatus", "Send", "Stamp", "StampProgress"]
