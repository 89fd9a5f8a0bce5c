"""What a link costs: expected transmissions, and a term for a long way.

ETX (De Couto et al., MobiCom 2003): a frame and its acknowledgement must both arrive, so a delivery takes 1/(df·dr)
tries on average, df and dr being the shares of HELLOs that arrive in each direction. It scales a base cost, which is
Babel's for wired and for other links (RFC 8966 appendix A.2). The round-trip term is RFC 9616's: nothing up to 10 ms,
then in proportion up to 120 ms, where it stays, so that a tunnel around the world loses against a short way of two hops
and a loaded link is not fled from for ever.
"""

from typing import Final

from meshrouter.neighbours.neighbour import INFINITY

WIRED: Final = 96
OTHER: Final = 256
RTT_LEAST: Final = 0.010
RTT_MOST: Final = 0.120
RTT_COST: Final = 96
"""What RTT_MOST adds (RFC 9616 §4 leaves the numbers open; this is one wired hop)."""
RTT_DECAY: Final = 0.836
"""Weight of the past in the smoothed round-trip time (RFC 9616 §3.2)."""
HYSTERESIS: Final = 0.2
"""Share by which a cost must change before anybody hears of it: each time, routes may move."""
LEAST_SHARE: Final = 1 / 16
"""Of HELLOs that arrive, as far as a window of 16 can tell."""


def etx(forth: float, back: float) -> float:
    """Expected transmissions, 1 … 256, from the shares that arrive."""
    return 1 / (max(forth, LEAST_SHARE) * max(back, LEAST_SHARE))


def rtt_cost(rtt: float | None) -> float:
    """0 … RTT_COST."""
    over = min(max((rtt or 0.0) - RTT_LEAST, 0.0), RTT_MOST - RTT_LEAST)
    return RTT_COST * over / (RTT_MOST - RTT_LEAST)


def smoothed(before: float | None, sample: float) -> float:
    """Seconds."""
    return sample if before is None else RTT_DECAY * before + (1 - RTT_DECAY) * sample


def cost_of(*, wired: bool, forth: float, back: float, rtt: float | None) -> int:
    """1 … 65,534."""
    exact = (WIRED if wired else OTHER) * etx(forth, back) + rtt_cost(rtt)
    return min(round(exact), INFINITY - 1)


def steady(before: int, now: int) -> int:
    """The cost to go by: ``before`` unless ``now`` differs enough."""
    return now if abs(now - before) >= HYSTERESIS * before else before
