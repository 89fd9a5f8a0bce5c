"""How much of the raw argon2 rate header verification keeps."""

from dataclasses import replace
from functools import partial
from itertools import count

from bench.measure import Row, stopwatch
from meshchain.ledger import difficulty
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.params import bundled_networks
from meshchain.ledger.pow import pow_hash, search_nonce
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers, ThreadWorkers

HEADERS = 4000


def headers() -> list[Row]:
    """Verify a chain of dev headers (1 MiB argon2 each, all header rules) with all cores."""
    params = bundled_networks()["dev"]
    chain = _mine_headers(HEADERS)
    with ThreadWorkers() as workers:
        raw, verified = 0.0, 0.0
        for _ in range(3):  # in turn, the better of three: the machine is shared
            encoded = [header.encode() for header in chain]
            with stopwatch() as hashing:
                workers.map(partial(pow_hash, memory_kib=params.consensus.pow_memory_kib), encoded)
            fresh = Chain(MemoryStore(), params, workers)
            with stopwatch() as verifying:
                fresh.add_headers(chain, None)
            raw = max(raw, HEADERS / hashing.wall)
            verified = max(verified, HEADERS / verifying.wall)
        threads = workers.threads
    ratio = verified / raw
    figure = f"{verified:,.0f}/s of {raw:,.0f}/s raw on {threads} threads = {ratio:.0%}"
    values = {"headers_per_second": verified, "argon2_per_second": raw, "ratio": ratio}
    return [Row("header verification", figure, "≥ 80 % of raw argon2", ratio >= 0.8, values)]


def _mine_headers(number: int) -> list[Header]:
    """Empty blocks' headers on dev: trivial work, real rules."""
    params = bundled_networks()["dev"]
    chain = Chain(MemoryStore(), params, InlineWorkers())
    mined: list[Header] = []
    tip, state = chain.genesis, chain.tip.difficulty
    for height in range(1, number + 1):
        time = tip.time + 120
        bits = difficulty.next_bits(params.consensus, state, time)
        header = Header(1, height, tip.id, operations_root(()), bytes(32), time, bits, 0)
        nonce = next(n for start in count(0, 64) if (n := _nonce(header, start)) is not None)
        tip = replace(header, nonce=nonce)
        state = difficulty.advance(params.consensus, state, time, bits)
        mined.append(tip)
    return mined


def _nonce(header: Header, start: int) -> int | None:
    return search_nonce(header.encode(), 1024, start, 64, lambda: False)[0]
