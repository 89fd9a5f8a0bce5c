"""How hard the next block is: ASERT from an anchor, in the block's own time, re-anchored after a long gap.

Theory of operation
-------------------
*The schedule.* An anchor block A fixes a line: the block Δh above A is due 120·Δh seconds after it. A block
ahead of the line must be harder, one behind it may be easier, by a factor of two for every half-life (2 h)
it is off: target = A.target · 2^((Δt − spacing·Δh) / half-life). This is aserti3-2d (Bitcoin Cash,
upgrade specification of 2020-11-15), integer arithmetic included. Its target depends on the anchor, the
height and one time only, never on the path between, so errors do not add up, there is no window whose
edges could be played with, and the state to carry along is a few numbers.

*Own time.* The time in Δt is that of the block itself, where ASERT's inventors use the parent's. With
parent time, a block's difficulty is fixed the moment its parent is found, and a parent's clock can be
wrong. Take the end of an outage of ten days: the line starts anew today, then one miner's clock still shows
the time before the outage, which the median of 11 permits. The next block is computed for a time 120
half-lives back, is 2^120 times harder than usual (10^41 hashes), and stays so however long everybody waits:
the chain has ended. With own time the stale clock makes only its own block hard, and a block becomes easier
while it is looked for, so that after a 50-fold visitor left, nobody waits long for the next one. The price
is that miners choose the time that decides their own target. They may choose from the median of the last 11
blocks to 10 minutes ahead; 10 minutes are worth 2^(600/7200), 6 %, per block and not cumulative (the line
does not move), and a time in the past makes the block harder.

*Re-anchoring.* On the line, ten days without a block are 7,200 missing blocks, and plain ASERT wants them
back: it falls to the limit and stays near it until all were made, thousands in the first hour, a storm in
which small links and slow machines fork and starve. So a block whose time lies more than 4 half-lives (8 h)
after M, the greatest time in its chain so far, writes the missing blocks off: it becomes the new anchor,
from which the line starts again. Its own bits are those of plain ASERT, but at most 16 times easier than
its parent's: 2^4 is just what a block in 4 half-lives behind the line has earned, so at the threshold the two
agree and there is nothing to gain by stepping over it. The min with plain ASERT keeps a chain that is
ahead of the line from being handed 16 where it had earned less. The cap has a price as well: from 8 h on, a
block that is looked for gets no easier. Where a visitor with F times everybody's hash rate stayed until the
difficulty fitted, the first block after the 8 h takes F · spacing / 16 more in the mean: 2 h for F = 1,000,
but weeks for a million.

*Why M and not the parent's time.* A parent stamped in the past would create a gap out of nothing; M only
grows, so a gap has to lie in front of everything that was ever stamped. Faking one takes times 8 h ahead
of every honest clock, and such blocks are held, not accepted. In a private chain it makes blocks up to 16
times cheaper and worth 16 times less work, which is what fork choice counts.

*Why the new anchor is the block and not its parent.* The parent's time is before the gap: a line through it
would leave the missing blocks owed.

*Block 1, not genesis,* is the first anchor: the genesis time was fixed when the network was defined, and a
network that starts a year later would owe a year of blocks. For the same reason M ignores genesis.

The state after a header is ``Difficulty``; ``next_bits`` asks it, ``advance`` moves it on. Headers of a
branch need nothing else, so header chains verify with O(1) state.
"""

from dataclasses import dataclass
from typing import Final

from meshchain.ledger import compact
from meshchain.ledger.params import Consensus

_GAP_HALF_LIVES: Final = 4
_RELIEF: Final = 1 << _GAP_HALF_LIVES
"""What a gap of 4 half-lives earns on the line, hence the most that a re-anchoring block gets."""
_FIXED: Final = 16
"""Fractional bits of the exponent and of the factor."""
_MAX_SHIFT: Final = 256 + _FIXED
"""A positive target shifted left this far exceeds every limit; nothing longer is ever computed."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The block from which the line is drawn: its height, time (s) and bits."""

    height: int
    time: int
    bits: int


@dataclass(frozen=True, slots=True)
class Difficulty:
    """State after a header: its height and bits, the anchor (none at genesis) and M."""

    height: int
    bits: int
    anchor: Anchor | None
    max_time: int
    """M: greatest time of blocks 1 … height, in seconds; 0 at genesis."""


def at_genesis(consensus: Consensus) -> Difficulty:
    return Difficulty(height=0, bits=consensus.pow_limit_bits, anchor=None, max_time=0)


def next_bits(consensus: Consensus, state: Difficulty, time: int) -> int:
    """Bits the block after ``state`` must have if it carries ``time``; the limit where nothing retargets."""
    if state.anchor is None or not consensus.retarget:
        return consensus.pow_limit_bits
    bits = asert_bits(
        state.anchor.bits,
        time - state.anchor.time,
        state.height + 1 - state.anchor.height,
        spacing=consensus.spacing,
        half_life=consensus.half_life,
        pow_limit_bits=consensus.pow_limit_bits,
    )
    if not _is_gap(consensus, state, time):
        return bits
    return min(bits, _relieved(consensus, state.bits), key=compact.to_target)


def advance(consensus: Consensus, state: Difficulty, header_time: int, bits: int) -> Difficulty:
    """State after a valid header with these values on top of ``state``."""
    height = state.height + 1
    anchor = state.anchor
    if anchor is None or _is_gap(consensus, state, header_time):
        anchor = Anchor(height, header_time, bits)
    return Difficulty(height, bits, anchor, max(state.max_time, header_time))


def asert_bits(
    anchor_bits: int, time_delta: int, height_delta: int, *, spacing: int, half_life: int, pow_limit_bits: int
) -> int:
    """aserti3-2d: anchor target · 2^((time_delta − spacing·height_delta) / half_life), as bits.

    Times in seconds. The exponent has 16 fractional bits and is truncated toward zero; 2^x for
    0 ≤ x < 1 is the specification's cubic, off by less than 0.013 %. Nothing is added to
    ``height_delta`` here. The result lies between target 1 and the limit.
    """
    exponent = _divide_toward_zero((time_delta - spacing * height_delta) << _FIXED, half_life)
    shift, fraction = exponent >> _FIXED, exponent & (1 << _FIXED) - 1
    if shift > _MAX_SHIFT:  # times are 64 bits wide: bound the integer before it is made
        return pow_limit_bits
    product = compact.to_target(anchor_bits) * _power_of_two(fraction)
    target = product << shift - _FIXED if shift > _FIXED else product >> _FIXED - shift
    return compact.to_bits(min(max(target, 1), compact.to_target(pow_limit_bits)))


def _is_gap(consensus: Consensus, state: Difficulty, time: int) -> bool:
    return state.height >= 1 and time - state.max_time > _GAP_HALF_LIVES * consensus.half_life


def _relieved(consensus: Consensus, bits: int) -> int:
    limit = compact.to_target(consensus.pow_limit_bits)
    return compact.to_bits(min(limit, _RELIEF * compact.to_target(bits)))


def _divide_toward_zero(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // divisor
    return quotient if dividend >= 0 else -quotient


def _power_of_two(fraction: int) -> int:
    """65536 · 2^(fraction / 65536) by the specification's cubic."""
    cubic = 195766423245049 * fraction + 971821376 * fraction**2 + 5127 * fraction**3
    return (1 << _FIXED) + (cubic + (1 << 47) >> 48)
