"""The difficulty rule with one clause taken out: what the recovery tests have to notice."""

from dataclasses import dataclass, replace

from meshchain.ledger import compact
from meshchain.ledger.difficulty import Anchor, Difficulty, advance, asert_bits, at_genesis, next_bits
from meshchain.ledger.params import Params


class NoReanchor:
    """Plain ASERT in the block's own time: every gap stays owed."""

    def __init__(self, params: Params) -> None:
        self.consensus = params.consensus

    def start(self) -> Difficulty:
        return at_genesis(self.consensus)

    def bits(self, state: Difficulty, time: int) -> int:
        return next_bits(self.consensus, without_gap(state, time), time)

    def advance(self, state: Difficulty, time: int, bits: int) -> Difficulty:
        return advance(self.consensus, without_gap(state, time), time, bits)


def without_gap(state: Difficulty, time: int) -> Difficulty:
    return replace(state, max_time=max(state.max_time, time)) if state.height else state


@dataclass(frozen=True, slots=True)
class ParentState:
    difficulty: Difficulty
    time: int


class ParentTime:
    """ASERT as Bitcoin Cash has it, from the parent's time, with the re-anchor clause on top."""

    def __init__(self, params: Params) -> None:
        self.consensus = params.consensus

    def start(self) -> ParentState:
        return ParentState(at_genesis(self.consensus), 0)

    def bits(self, state: ParentState, time: int) -> int:
        if state.difficulty.anchor is None:
            return self.consensus.pow_limit_bits
        if self._is_gap(state, time):
            limit = compact.to_target(self.consensus.pow_limit_bits)
            return compact.to_bits(min(limit, 16 * compact.to_target(state.difficulty.bits)))
        return self._asert(state, state.difficulty.anchor)

    def advance(self, state: ParentState, time: int, bits: int) -> ParentState:
        return ParentState(advance(self.consensus, state.difficulty, time, bits), time)

    def _is_gap(self, state: ParentState, time: int) -> bool:
        return time - state.difficulty.max_time > 4 * self.consensus.half_life

    def _asert(self, state: ParentState, anchor: Anchor) -> int:
        return asert_bits(
            anchor.bits,
            state.time - anchor.time,
            state.difficulty.height - anchor.height,
            spacing=self.consensus.spacing,
            half_life=self.consensus.half_life,
            pow_limit_bits=self.consensus.pow_limit_bits,
        )


class ShortGap(NoReanchor):
    """As the real rule, but a block 10 minutes after M re-anchors: a gap that a time at the future limit fakes."""

    def bits(self, state: Difficulty, time: int) -> int:
        return super().bits(state, time) if not self._is_gap(state, time) else self._relieved(state)

    def advance(self, state: Difficulty, time: int, bits: int) -> Difficulty:
        after = super().advance(state, time, bits)
        return replace(after, anchor=Anchor(after.height, time, bits)) if self._is_gap(state, time) else after

    def _is_gap(self, state: Difficulty, time: int) -> bool:
        return state.height > 0 and time - state.max_time > 600

    def _relieved(self, state: Difficulty) -> int:
        limit = compact.to_target(self.consensus.pow_limit_bits)
        return compact.to_bits(min(limit, 16 * compact.to_target(state.bits)))
