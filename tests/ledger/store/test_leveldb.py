"""The disk arm when the disk is not at its best: in use, damaged, full."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshchain.ledger.errors import StoreError
from meshchain.ledger.store.leveldb import LevelStore

ROWS = {b"k%04d" % index: bytes((index % 251,)) * 40 for index in range(300)}


def code_of(error: pytest.ExceptionInfo[StoreError]) -> str:
    return error.value.code


def test_a_store_that_is_open_is_in_use(tmp_path: Path) -> None:
    first = LevelStore(tmp_path / "l")
    with pytest.raises(StoreError, match="lock") as error:
        LevelStore(tmp_path / "l")
    assert code_of(error) == "in-use"
    first.close()
    LevelStore(tmp_path / "l").close()


def test_a_folder_that_is_a_file_is_an_io_error(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("no folder")
    with pytest.raises(StoreError) as error:
        LevelStore(tmp_path / "l")
    assert code_of(error) == "io"


def test_written_rows_survive_reopening(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "l")
    store.write(ROWS)
    store.close()
    store = LevelStore(tmp_path / "l")
    assert dict(store.items(b"k")) == ROWS
    store.close()


def test_closing_waits_for_whoever_reads(tmp_path: Path) -> None:
    """A failed write closes the database and opens it again while RPC threads read: in a process of its own, for a
    database that is closed under a reader is the end of the process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.store.closing", str(tmp_path / "l")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"12 times closed\n"), done.stderr.decode()


def test_a_closed_store_stays_closed(tmp_path: Path) -> None:
    """Nothing may take the lock again behind the back of whoever closed it."""
    store = LevelStore(tmp_path / "l")
    snapshot = store.snapshot()
    store.close()
    store.close()
    for use in (lambda: store.get(b"a"), lambda: store.write({b"a": b""}), store.snapshot, lambda: snapshot.get(b"a")):
        with pytest.raises(StoreError) as error:
            use()
        assert code_of(error) == "closed"
    LevelStore(tmp_path / "l").close()


# --- damage ------------------------------------------------------------------------------------------------


def rows_or_code(folder: Path) -> dict[bytes, bytes] | str:
    """All rows, each read in both ways; the code of the StoreError if there is one."""
    try:
        store = LevelStore(folder)
    except StoreError as error:
        return error.code
    try:
        rows = dict(store.items(b""))
        return rows if all(store.get(key) == value for key, value in rows.items()) else "torn"
    except StoreError as error:
        return error.code
    finally:
        store.close()


def flips(size: int, count: int) -> Iterator[int]:
    return iter(range(size // (2 * count), size, max(1, size // count)))


@pytest.fixture
def compacted(tmp_path: Path) -> Path:
    """A store whose rows lie in a table file."""
    folder = tmp_path / "l"
    store = LevelStore(folder)
    store.write(ROWS)
    store.compact()
    store.close()
    assert list(folder.glob("*.ldb"))
    return folder


@pytest.mark.parametrize("pattern", ["*.ldb", "MANIFEST-*", "CURRENT"])
def test_a_flipped_bit_is_damage_or_no_matter_but_never_other_rows(compacted: Path, pattern: str) -> None:
    outcomes = set()
    for path in compacted.glob(pattern):
        for at in flips(path.stat().st_size, 12):
            copy = compacted.with_name(f"copy{at}")
            shutil.copytree(compacted, copy)
            _flip(copy / path.name, at)
            rows = rows_or_code(copy)
            assert rows in ("damaged", "io", ROWS), f"byte {at} of {path.name} changed what is read"
            outcomes.add(rows if isinstance(rows, str) else "")
    assert outcomes & {"damaged", "io"}


def test_a_flipped_bit_in_the_log_loses_whole_batches_at_most(tmp_path: Path) -> None:
    folder = tmp_path / "l"
    store = LevelStore(folder)
    batches = [dict(list(ROWS.items())[at : at + 30]) for at in range(0, 300, 30)]
    for batch in batches:
        store.write(batch)
    store.close()
    prefixes = [dict(list(ROWS.items())[:at]) for at in range(0, 301, 30)]
    (log,) = folder.glob("*.log")
    for at in flips(log.stat().st_size, 12):
        copy = tmp_path / f"copy{at}"
        shutil.copytree(folder, copy)
        _flip(copy / log.name, at)
        rows = rows_or_code(copy)
        assert rows == "damaged" or rows in prefixes, f"byte {at} of the log tore a batch"


def test_a_database_without_its_head_is_refused_and_left_alone(compacted: Path) -> None:
    kept = (compacted / "CURRENT").read_bytes()
    (compacted / "CURRENT").unlink()
    assert rows_or_code(compacted) == "damaged"
    (compacted / "CURRENT").write_bytes(kept)
    assert rows_or_code(compacted) == ROWS


def test_a_database_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / "MANIFEST-000001").write_bytes(b"")
    assert rows_or_code(tmp_path / "l") == {}


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


# --- no room -----------------------------------------------------------------------------------------------


def fill(store: LevelStore) -> tuple[dict[bytes, bytes], StoreError]:
    """Write batches until one fails; what had been written by then, and the failure."""
    written: dict[bytes, bytes] = {}
    for number in range(10_000):
        batch = {b"f%06d.%d" % (number, index): os.urandom(3000) for index in range(4)}
        try:
            store.write(batch)
        except StoreError as error:
            return written, error
        written |= batch
    raise AssertionError("the disk has no end")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a full disk is made with a small tmpfs, which needs root and mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_the_store_goes_on_when_there_is_room(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(1_200_000))
    store = LevelStore(small_disk / "l")
    written, error = fill(store)
    assert error.code == "disk-full"
    assert written
    (small_disk / "ballast").unlink()
    assert dict(store.items(b"f")) == written  # opened anew by itself; nothing of the failed batch is there
    store.write({b"f": b"again"})
    assert store.get(b"f") == b"again"
    store.close()


def test_writing_to_a_full_disk_again_is_the_same_error_again(small_disk: Path) -> None:
    store = LevelStore(small_disk / "l")
    fill(store)
    for _ in range(3):
        with pytest.raises(StoreError) as error:
            store.write({b"g": bytes(3_000_000)})
        assert code_of(error) == "disk-full"
    store.close()


def limited_writer(folder: Path) -> None:
    """In a process of its own: files end at 200 kB, then they may grow again. Needs no root."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = LevelStore(folder)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    written, error = fill(store)
    assert error.code == "io", error.code
    assert written
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert dict(store.items(b"f")) == written
    store.write({b"f": b"again"})
    store.close()
    store = LevelStore(folder)
    assert dict(store.items(b"f")) == {**written, b"f": b"again"}
    store.close()


def test_a_write_that_fails_leaves_the_batches_before_it(tmp_path: Path) -> None:
    command = [sys.executable, __file__, str(tmp_path / "l")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    limited_writer(Path(sys.argv[1]))
