"""A view lives no longer than the database it reads: after a failed write of anybody's there is a new one."""

from pathlib import Path

import pytest

from meshchain.ledger.errors import StoreError
from meshchain.ledger.store.leveldb import LevelStore
from tests.ledger.kit import Lab


def test_a_failed_write_of_somebody_else_gives_a_new_view(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "ledger")
    lab = Lab(store=store)
    lab.mine()
    before = lab.chain.view()
    assert lab.chain.view() is before
    store._let_go()  # what a failed write does
    after = lab.chain.view()
    assert after is not before
    assert after.tip == lab.chain.tip.header
    store.close()


def test_the_old_view_says_that_it_is_closed(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "ledger")
    view = Lab(store=store).chain.view()
    store._let_go()
    with pytest.raises(StoreError) as refused:
        view.entry("alice")
    assert refused.value.code == "closed"
    store.close()
