"""Closes a store under its readers, again and again: python -m tests.ledger.store.closing FOLDER."""

import sys
import threading
from pathlib import Path

from meshchain.ledger.errors import StoreError
from meshchain.ledger.store import Reader
from meshchain.ledger.store.leveldb import LevelStore

TIMES = 12


class Readers:
    """Threads that read a snapshot as fast as they can until it is closed, then the next one."""

    def __init__(self, source: Reader) -> None:
        self.source = source
        self.over = False
        self.refusals = 0
        self.threads = [threading.Thread(target=self._read) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def _read(self) -> None:
        while not self.over:
            try:
                for number in range(200):
                    self.source.get(b"k%d" % number)
                assert sum(1 for _ in self.source.items(b"k")) == 2000
            except StoreError as error:
                self.refusals += error.code == "closed"

    def end(self) -> None:
        self.over = True
        for thread in self.threads:
            thread.join()


def main(folder: Path) -> None:
    store = LevelStore(folder)
    store.write({b"k%d" % number: bytes(100) for number in range(2000)})
    readers = Readers(store.snapshot())
    for _ in range(TIMES):
        refused = readers.refusals
        store._let_go()
        while readers.refusals == refused:
            pass
        readers.source = store.snapshot()
    readers.end()
    store.close()
    sys.stdout.write(f"{TIMES} times closed\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
