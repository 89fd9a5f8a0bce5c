"""Trains on the wire, beside a slow model of them: one frame after the other, as the text says it."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.wire.frame import HEADER_SIZE, MAX_CARS
from meshrouter.wire.train import MOST_SEALED, car_header, coupled, uncoupled

INDEX, COUNTER = 0xAABBCCDD, 0x01020304


def slowly(sealed: bytes, size: int, index: int, counter: int) -> list[bytes]:
    frames: list[bytes] = []
    while sealed:
        piece, sealed = sealed[:size], sealed[size:]
        frames.append(car_header(len(frames), len(piece), index, counter, last=not sealed) + piece)
    return frames


def slowly_back(run: bytes) -> tuple[int, int, bytes] | None:
    """Read frame by frame; what is not exactly one train is none."""
    size, index, counter = (int.from_bytes(run[at:end], "big") for at, end in ((2, 4), (4, 8), (8, 12)))
    sealed = b"".join(
        run[at + HEADER_SIZE : at + HEADER_SIZE + size] for at in range(0, len(run), HEADER_SIZE + max(size, 1))
    )
    if not HEADER_SIZE + size < len(run) or not 0 < size < len(sealed) <= min(MOST_SEALED, MAX_CARS * size):
        return None
    return (index, counter, sealed) if b"".join(slowly(sealed, size, index, counter)) == run else None


numbers = st.integers(0, 0xFFFFFFFF)
sizes = st.integers(1, 1500)


@given(st.integers(1, MAX_CARS), sizes, st.floats(0, 1), numbers, numbers)
def test_there_and_back(count: int, size: int, part: float, index: int, counter: int) -> None:
    sealed = Random(size).randbytes((count - 1) * size + max(1, round(part * size)))
    run = coupled(sealed, size, index, counter)
    assert run == b"".join(slowly(sealed, size, index, counter))
    whole = count > 1 and len(sealed) <= MOST_SEALED
    assert uncoupled(run) == slowly_back(run) == ((index, counter, sealed) if whole else None)


@given(st.data())
def test_whatever_is_changed_it_is_read_as_the_model_reads_it(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 60))
    sealed = bytes(data.draw(st.integers(size + 1, 5 * size)))
    run = bytearray(coupled(sealed, size, INDEX, COUNTER))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(run) - 1))
        run[at] ^= data.draw(st.integers(1, 255))
    cut = bytes(run[: data.draw(st.integers(HEADER_SIZE, len(run)))])
    for changed in (bytes(run), cut, bytes(run) + b"\0", cut + cut):
        assert uncoupled(changed) == slowly_back(changed)


@given(st.binary(min_size=HEADER_SIZE, max_size=3000))
def test_any_bytes_are_read_as_the_model_reads_them(run: bytes) -> None:
    assert uncoupled(run) == slowly_back(run)


def test_every_header_counts() -> None:
    """A frame is of the train by all twelve bytes of its header, be it the first, the last or between them."""
    run = coupled(bytes(2500), 1000, INDEX, COUNTER)
    assert uncoupled(run) is not None
    for frame in range(3):
        for at in range(HEADER_SIZE):
            changed = bytearray(run)
            changed[frame * 1012 + at] ^= 1
            assert uncoupled(bytes(changed)) is None, (frame, at)


def test_no_more_than_45_and_no_more_than_65_016_bytes() -> None:
    assert uncoupled(coupled(bytes(45 * 1000), 1000, 1, 2)) is not None
    with pytest.raises(ValueError, match="at most 45 frames, not 46"):
        coupled(bytes(45 * 1000 + 1), 1000, 1, 2)
    forty_six = b"".join(slowly(bytes(45 * 1000 + 1), 1000, 1, 2))
    assert uncoupled(forty_six) is None
    assert uncoupled(coupled(bytes(MOST_SEALED), 2000, 1, 2)) is not None
    assert uncoupled(coupled(bytes(MOST_SEALED + 1), 2000, 1, 2)) is None
