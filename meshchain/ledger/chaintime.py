"""Which times a header may carry.

The lower bound is consensus: later than the median of the last 11 ancestors (Bitcoin's "median time past",
BIP 113), so that a minority of wrong clocks can neither stop nor turn back the chain's time. The upper
bound is policy and temporary: what lies too far ahead of this machine's clock is held until its time comes,
and its sender is not to blame, for it may be our clock that is wrong. There is no network-adjusted time.
"""

from collections.abc import Sequence
from typing import Final

from meshchain.ledger.errors import HeldError, RuleError
from meshchain.ledger.params import Policy

MEDIAN_SPAN: Final = 11
"""Ancestors that vote on the lower bound."""


def median_time_past(times: Sequence[int]) -> int:
    """Median of the last 11 of ``times`` (of a block and its ancestors, oldest first, genesis included).

    With n < 11 of them: sorted[n // 2]. Raises ValueError for none.
    """
    if not times:
        raise ValueError("the genesis block is always among the ancestors")
    recent = sorted(times[-MEDIAN_SPAN:])
    return recent[len(recent) // 2]


def check_time(time: int, median: int) -> None:
    """RuleError (time-too-old) unless ``time`` is later than ``median``, the parent's median time past."""
    if time <= median:
        raise RuleError(
            "time-too-old",
            f"time {time} is not later than {median}, the median of the last {MEDIAN_SPAN} blocks",
            time=time,
            earliest=median + 1,
        )


def check_future(time: int, now: float, policy: Policy) -> None:
    """HeldError (time-too-new) while ``time`` is more than the policy's limit ahead of ``now`` (unix s).

    The caller decides whether its clock may be trusted at all, and does not ask before that.
    """
    if policy.future_limit is not None and time > now + policy.future_limit:
        raise HeldError(
            "time-too-new",
            f"time {time} is {time - now:.0f} s ahead of this clock, more than {policy.future_limit} s",
            time=time,
            acceptable_from=time - policy.future_limit,
        )
