"""difficulty.json: single steps of ASERT, and header chains with gaps, wrong clocks and visitors."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from docs.spec.making.values import Document, Json
from meshchain.ledger import difficulty
from meshchain.ledger.params import Consensus, bundled_networks

MESH: Final = bundled_networks()["mesh"].consensus
QUICK: Final = replace(MESH, half_life=600)
_START: Final = 1_795_310_000
_STEPS: Final = (
    (0x1E0FFFFF, 0, 1), (0x1E0FFFFF, 120, 1), (0x1E0FFFFF, 121, 1), (0x1E0FFFFF, 119, 1), (0x1E0FFFFF, 7320, 1),
    (0x1E0FFFFF, 120 * 100 - 7200, 100), (0x1E0FFFFF, 120 * 100 - 7201, 100), (0x1E0FFFFF, 120 * 100 - 1, 100),
    (0x1E0FFFFF, 10**6, 10), (0x1E0FFFFF, 2**63, 10), (0x1E0FFFFF, -(2**63), 10), (0x1E0FFFFF, 0, 10**6),
    (0x03000001, 0, 1000), (0x03000001, 120 + 7200 * 250, 1), (0x1F2AAAAA, 120, 1), (0x1F2AAAAA, 180, 1),
    (0x1E7FFFFF, 120 + 3600, 1), (0x1D00FFFF, 120 * 50 + 5, 50),
)  # fmt: skip


def document() -> Document:
    return {
        "asert": [_step(*step) for step in _STEPS],
        "chains": [
            *(_chain(why, MESH, times) for why, times in _mesh_chains()),
            *(_chain(why, QUICK, times) for why, times in _gap_chains()),
            _chain("retarget false: always the limit", bundled_networks()["dev"].consensus, _every(3, 4)),
        ],
    }


def _step(bits: int, time_delta: int, height_delta: int) -> Json:
    limit = MESH.pow_limit_bits
    result = difficulty.asert_bits(bits, time_delta, height_delta, spacing=120, half_life=7200, pow_limit_bits=limit)
    return {
        "anchor_bits": bits,
        "time_delta": time_delta,
        "height_delta": height_delta,
        "spacing": 120,
        "half_life": 7200,
        "pow_limit_bits": limit,
        "bits": result,
    }


def _chain(why: str, consensus: Consensus, times: list[int]) -> Json:
    state = difficulty.at_genesis(consensus)
    blocks: list[Json] = []
    for time in times:
        bits = difficulty.next_bits(consensus, state, time)
        state = difficulty.advance(consensus, state, time, bits)
        assert state.anchor is not None
        blocks.append(
            {
                "height": state.height,
                "time": time,
                "bits": bits,
                "anchor_height": state.anchor.height,
                "max_time": state.max_time,
            }
        )
    return {
        "why": why,
        "spacing": consensus.spacing,
        "half_life": consensus.half_life,
        "retarget": consensus.retarget,
        "pow_limit_bits": consensus.pow_limit_bits,
        "blocks": blocks,
    }


def _every(step: int, count: int) -> list[int]:
    return [_START + step * index for index in range(count)]


def _mesh_chains() -> Iterator[tuple[str, list[int]]]:
    yield "on schedule: the limit throughout", _every(120, 6)
    yield "twice as fast", _every(60, 20)
    yield "slower than schedule from the start: clipped to the limit", _every(300, 6)
    yield "times run backwards within what the median permits", [_START, _START + 500, _START + 100, _START + 50]


def _gap_chains() -> Iterator[tuple[str, list[int]]]:
    """Six half-lives ahead of schedule after half a minute: a visitor with 64 times the hash rate."""
    hard = _every(1, 30)
    last, gap = hard[-1], 4 * QUICK.half_life
    yield "a visitor leaves: waited off on the line", [*hard, *(last + 600 * index for index in range(1, 8))]
    yield "a gap of exactly 4 half-lives does not re-anchor", [*hard, last + gap, last + gap + 120]
    yield "one second more does", [*hard, last + gap + 1, last + gap + 121]
    yield "a long gap: relief is at most 16", [*hard, last + 864_000, last + 864_060, last + 864_120]
    back = [last + 864_000, last + 3, last + 864_001, last + 864_000 + gap, last + 864_002 + gap]
    yield "after the gap a clock that stands before it: its block is hard, and M does not fall", [*hard, *back]
    yield "M is the greatest time, not the parent's", [_START, _START - 1000, _START + gap, _START + gap + 1]
