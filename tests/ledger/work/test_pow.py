from collections.abc import Iterator
from dataclasses import replace

import pytest
from argon2.low_level import Type, hash_secret_raw

from meshchain.ledger import compact
from meshchain.ledger import pow as work
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.ledger.workers import InlineWorkers, ThreadWorkers

UNMINED = Header(1, 7, b"p" * 32, b"o" * 32, b"s" * 32, 1_795_400_000, 0x1F3FFFFF, 0)


def never() -> bool:
    return False


def mine(header: Header, consensus: Consensus) -> Header:
    nonce, _ = work.search_nonce(header.encode(), consensus.pow_memory_kib, 0, 1 << 32, never)
    assert nonce is not None
    return replace(header, nonce=nonce)


def oracle(encoded: bytes, memory_kib: int) -> bytes:
    return hash_secret_raw(encoded, b"meshchain-pow-v1", 1, memory_kib, 1, 32, Type.ID, 19)


@pytest.mark.parametrize("memory_kib", [8, 1024])
def test_hash_is_argon2id_of_the_header(memory_kib: int) -> None:
    assert work.pow_hash(UNMINED.encode(), memory_kib) == oracle(UNMINED.encode(), memory_kib)


def test_search_finds_the_first_nonce_that_checks(cheap: Consensus) -> None:
    header = mine(UNMINED, cheap)
    work.check_work(header, cheap)
    target = compact.to_target(header.bits)
    values = [oracle(replace(header, nonce=n).encode(), 8) for n in range(header.nonce + 1)]
    below = [int.from_bytes(value, "big") <= target for value in values]
    assert below == [False] * header.nonce + [True]


def test_every_flipped_byte_spoils_the_work(cheap: Consensus) -> None:
    data = mine(UNMINED, cheap).encode()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x40
        with pytest.raises((RuleError, CodecError)) as caught:
            work.check_work(Header.decode(bytes(changed)), cheap)
        assert caught.value.code == ("header-version" if at < 4 else "pow")


def test_refusal_names_the_bits(cheap: Consensus) -> None:
    with pytest.raises(RuleError) as caught:
        work.check_work(UNMINED, cheap)
    assert (caught.value.code, caught.value.detail) == ("pow", {"bits": UNMINED.bits})


@pytest.mark.parametrize("bits", [0, 0x01000000, 0x1F8FFFFF, 0xFF0FFFFF, 0x1F400000, 0x207FFFFF])
def test_bits_without_a_target_or_above_the_limit_never_pass(cheap: Consensus, bits: int) -> None:
    headers = [replace(UNMINED, bits=bits, nonce=nonce) for nonce in range(32)]
    assert work.check_works(headers, cheap, InlineWorkers()) == [False] * 32


@pytest.fixture
def threads() -> Iterator[ThreadWorkers]:
    with ThreadWorkers(3) as workers:
        yield workers


def test_batches_agree_with_single_checks(cheap: Consensus, threads: ThreadWorkers) -> None:
    easy = replace(cheap, pow_limit_bits=0x207FFFFF)
    headers = [replace(UNMINED, bits=0x207FFFFF, nonce=nonce) for nonce in range(200)]
    inline = work.check_works(headers, easy, InlineWorkers())
    assert 60 < sum(inline) < 140  # about half of them pass by chance
    assert work.check_works(headers, easy, threads) == inline
    for header, good in zip(headers, inline, strict=True):
        if good:
            work.check_work(header, easy)
        else:
            with pytest.raises(RuleError):
                work.check_work(header, easy)


def test_search_stops_when_told(cheap: Consensus) -> None:
    answers = iter([False] * 5 + [True])
    hard = replace(UNMINED, bits=0x1D00FFFF)
    assert work.search_nonce(hard.encode(), 8, 0, 1000, lambda: next(answers)) == (None, 5)


def test_search_keeps_to_its_range(cheap: Consensus) -> None:
    nonce = mine(UNMINED, cheap).nonce
    encoded = UNMINED.encode()
    assert work.search_nonce(encoded, 8, 0, nonce, never) == (None, nonce)
    assert work.search_nonce(encoded, 8, nonce, 1, never) == (nonce, 1)
    hard = replace(UNMINED, bits=0x1D00FFFF).encode()
    assert work.search_nonce(hard, 8, 2**64 - 3, 10, never) == (None, 3)


def test_real_cost_at_the_limit(mesh: Consensus) -> None:
    """At 1 MiB and trivial bits: the parameters of a real network go all the way through."""
    easy = replace(mesh, pow_limit_bits=0x207FFFFF)
    header = mine(replace(UNMINED, bits=0x207FFFFF), easy)
    work.check_work(header, easy)
    with pytest.raises(RuleError):
        work.check_work(header, mesh)
