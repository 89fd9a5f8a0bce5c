"""The room of a block, to the byte."""

from meshchain.ledger.block import ARRAY_OVERHEAD, ITEM_OVERHEAD
from meshchain.ledger.header import Header
from meshchain.ledger.mempool.room import Room
from meshchain.ledger.operations import Commit, Renew
from tests.ledger.kit import small_params

CONSENSUS = small_params(max_block_size=4096).consensus
COMMIT = Commit(commitment=bytes(32))
RENEW = Renew(name="alice", reg=bytes(16), expires=5)


def test_the_whole_ends_with_the_block() -> None:
    room = Room(CONSENSUS)
    most = 4096 - Header.SIZE - ARRAY_OVERHEAD - ITEM_OVERHEAD
    assert room.fits(RENEW, most)
    assert not room.fits(RENEW, most + 1)
    room.take(RENEW, 1000)
    assert room.fits(RENEW, most - 1000 - ITEM_OVERHEAD)
    assert not room.fits(RENEW, most - 1000 - ITEM_OVERHEAD + 1)


def test_commits_end_at_half() -> None:
    room = Room(CONSENSUS)
    room.take(COMMIT, 1000)
    most = 2048 - 1000 - 2 * ITEM_OVERHEAD
    assert room.fits(COMMIT, most)
    assert not room.fits(COMMIT, most + 1)
    assert room.fits(RENEW, most + 1)


def test_commits_find_no_room_that_others_took() -> None:
    room = Room(CONSENSUS)
    room.take(RENEW, 3500)
    assert not room.fits(COMMIT, 500)
