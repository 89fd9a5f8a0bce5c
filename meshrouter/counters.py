"""What was dropped, and by which rule: a malformed or unwelcome frame costs one of these and nothing else."""

from collections import Counter


class Counters(Counter[str]):
    """Keys are stable words, ``area-rule``: ``link-tag``, ``end-replay``, ``route-height``, ``guest-quota`` …"""

    def drop(self, rule: str) -> None:
        self[rule] += 1
