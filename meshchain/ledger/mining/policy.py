"""Whether to mine now, how hard, and what ``status`` says about it.

Theory of operation
-------------------
``decide`` is a function of what the node knows at this moment; it keeps nothing. The owner asks again after
``check_again`` seconds, and at once when an input changes (a tip, an operation, a peer). The gates come in
this order, and the first that is shut gives the reason:

1. mining is switched off;
2. the search for peers is still on: with peers configured or links up, 20 s from the start. Two machines switched
   on together would otherwise each begin a chain of their own, and one of them lose what it registered;
3. not first synced: a block on an old tip is work for nothing;
4. the clock is wrong, as far as one can tell: before genesis, before the median of the last blocks, or more than
   10 minutes from the median of three peers or more. Other nodes hold blocks from the future, and difficulty
   takes each block's own time at its word, so a wrong clock makes blocks that nobody takes or that nobody could
   afford. A network without a future limit (dev) trusts no clock and has no such gate: there blocks made faster than
   one a second carry the chain's time ahead of the clock by themselves;
5. where blocks are made only when something waits (dev): nothing waits, or what waits is another node's, which
   has a moment to make the block itself.

*How hard.* Mining here earns nothing; it is the rent that a network without coins pays for its order, and it is
to be so low that nobody switches it off. The duty is the share of one low-priority thread's time. Difficulty
follows the work of all (``difficulty``), so any duty keeps the spacing, above a floor: no block is easier than the
limit, about 1,500 hashes. At 0.7 ms a hash that is one second, so a machine alone could keep 120 s at a duty of
1 %; a small board needs 4 ms a hash, six seconds a block, and 5 %. The idle duty is therefore 5 %: with it a fresh
machine of either kind, alone on ``mesh``, makes a block about every 120 s for ever. A laptop spends six seconds
of one core in two minutes, in slices of milliseconds (``pace``), and no fan starts. Ten times less would
stop small boards, ten times more would only raise the difficulty ten times, at ten times the heat.

(The very first blocks come faster, one in 20 s on a laptop: the limit is made for slow machines, and it takes
the line half-lives to pull a fast one back. That is some hundred blocks too many in the first hours of a network.)

*While own operations wait* the duty is 50 %. Alone, that is a block in 12 s instead of 120, so registering (a
commit, three blocks, a reveal) takes a minute instead of ten; the schedule answers with one doubling of the
difficulty for every 60 blocks it is ahead, so a burst of five costs 6 %, and a node that always has something
waiting gains nothing for long. In a larger network a waiting node's burst is its share of the common work, as it
should be: who wants blocks, works for them.
"""

from dataclasses import dataclass, replace
from typing import Final

from meshchain.ledger.params import Policy

IDLE_DUTY: Final = 0.05
WAITING_DUTY: Final = 0.5
_PEERS_THAT_VOTE: Final = 3
"""Fewer peers' median is no evidence against this clock."""
_CLOCK_RECHECK: Final = 10.0
_RECHECK: Final = 5.0
"""Seconds; changes of inputs are told at once, this is for what only time changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningInputs:
    """What the node knows. Times are unix seconds by this machine's clock, unless they say otherwise."""

    now: float
    started: float
    enabled: bool
    synced: bool
    """No peer offers a heavier chain with missing bodies, or there is nobody to offer one."""
    peers_configured: bool
    links_up: bool
    peers_connected: int
    peer_median_offset: float | None
    """Median of the peers' clocks minus this one (s)."""
    clock_credible: bool
    """The kernel calls the clock synchronised, or at least 3 peers agree with it."""
    tip_time: int
    median_time: int
    """Median time past of the next block (s)."""
    genesis_time: int
    own_waiting: int
    """Own operations that wait for a block: pending ones, and queued ones that wait for a commit's depth."""
    foreign_pending: int
    """Other operations in the mempool."""
    foreign_since: float | None
    """Since when they wait on this tip (``waiting``)."""
    foreign_wait: float = 0.0
    """How long they are left to their own nodes from then on (s)."""


@dataclass(frozen=True, slots=True)
class Decision:
    mine: bool
    duty: float
    """Share of one low-priority thread's time, 0 to 1."""
    reason: str
    """For people: why, or why not."""
    check_again: float
    """Seconds until only the passing of time may have changed the answer."""
    held: bool = False
    """Not mining although something may wait: it waits for another node's block, or until the reason is gone."""


def decide(policy: Policy, inputs: MiningInputs) -> Decision:
    """Whether and how hard to mine now."""
    for gate in (_switch, _search, _sync, _clock):
        if (refusal := gate(policy, inputs)) is not None:
            return replace(refusal, held=True)
    if (refusal := _demand(policy, inputs)) is not None:
        return refusal
    if policy.mine_when_pending:
        return Decision(True, 1.0, f"{_waiting(inputs)}: making a block", _RECHECK)
    if inputs.own_waiting:
        return Decision(True, WAITING_DUTY, f"{_waiting(inputs)}: mining at {WAITING_DUTY:.0%} of a thread", _RECHECK)
    return Decision(True, IDLE_DUTY, f"mining at {IDLE_DUTY:.0%} of a low-priority thread", _RECHECK)


def _refuse(reason: str, check_again: float) -> Decision:
    return Decision(False, 0.0, reason, check_again)


def _switch(policy: Policy, inputs: MiningInputs) -> Decision | None:  # noqa: ARG001 - gates have one shape
    return None if inputs.enabled else _refuse("mining is switched off (--mine off)", _RECHECK)


def _sync(policy: Policy, inputs: MiningInputs) -> Decision | None:  # noqa: ARG001
    return None if inputs.synced else _refuse("the chain is not synced yet", _RECHECK)


def _search(policy: Policy, inputs: MiningInputs) -> Decision | None:
    if not (inputs.peers_configured or inputs.links_up):
        return None
    left = inputs.started + policy.peer_search - inputs.now
    return None if left <= 0 else _refuse(f"looking for peers for another {left:.0f} s before the first block", left)


def _clock(policy: Policy, inputs: MiningInputs) -> Decision | None:
    if policy.future_limit is None:
        return None
    if inputs.now < inputs.genesis_time:
        return _refuse("this machine's clock is before the network's genesis: set it", _CLOCK_RECHECK)
    if inputs.now < inputs.median_time:
        return _refuse(_behind(inputs), _CLOCK_RECHECK)
    offset = inputs.peer_median_offset
    votes = inputs.peers_connected >= _PEERS_THAT_VOTE
    if votes and offset is not None and abs(offset) > policy.future_limit:
        way = "behind" if offset > 0 else "ahead of"
        return _refuse(f"this machine's clock is {abs(offset):.0f} s {way} its peers': set it", _CLOCK_RECHECK)
    return None


def _behind(inputs: MiningInputs) -> str:
    gap = f"this machine's clock is {inputs.median_time - inputs.now:.0f} s before the chain's median time"
    tip = f"(the tip says {inputs.tip_time - inputs.now:.0f} s)"
    return f"{gap} {tip}; {'waiting for it to pass' if inputs.clock_credible else 'set the clock'}"


def _demand(policy: Policy, inputs: MiningInputs) -> Decision | None:
    if not policy.mine_when_pending or inputs.own_waiting:
        return None
    if not inputs.foreign_pending:
        return _refuse("nothing waits for a block", _RECHECK)
    since = inputs.now if inputs.foreign_since is None else inputs.foreign_since
    left = since + inputs.foreign_wait - inputs.now
    return None if left <= 0 else _refuse(f"{_waiting(inputs)}: left to its node for {left:.1f} s", left)


def _waiting(inputs: MiningInputs) -> str:
    own = inputs.own_waiting
    count = own or inputs.foreign_pending
    return f"{count} {'own' if own else 'foreign'} operation{'s wait' if count > 1 else ' waits'} for a block"
