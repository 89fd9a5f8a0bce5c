"""From the words alone to every name: walk over the ledger's names, then look at the receiving keys.

A name that this wallet registered has the key that its own name gives, so each name of the ledger takes one
derivation (some 50 µs) to test. Keys that received a transfer are numbered; the node lists the names of
``GAP`` of them at a time until a whole window of unused ones has been seen. Revoked names and names in
grace count: they are still there. A registration whose commitment hides its name cannot be found by
anybody; typing ``register NAME`` takes it up (see registrar).
"""

from collections.abc import Callable, Iterator
from typing import Final

from wallet.derivation import GAP, Keyring
from wallet.keystore.payload import Payload
from wallet.remote import Ledger, Registered

PAGE: Final = 1000
"""Names in one question; with full records some 4 MB of JSON."""


def rescan(ledger: Ledger, keys: Keyring, payload: Payload, report: Callable[[int], None]) -> list[Registered]:
    """All names of the wallet, by name; notes them in ``payload`` and moves its count of receiving keys.

    ``report`` is told after each page how many names were looked at.
    """
    found = {entry.name: entry for entry in _registered_here(ledger, keys, report)}
    for entry in _received(ledger, keys, payload):
        found[entry.name] = entry
    for name in found:
        payload.note(name)
    return [found[name] for name in sorted(found)]


def _registered_here(ledger: Ledger, keys: Keyring, report: Callable[[int], None]) -> Iterator[Registered]:
    seen = 0
    for page in _pages(ledger):
        seen += len(page)
        report(seen)
        yield from (entry for entry in page if keys.owner(entry.name) == entry.owner)


def _pages(ledger: Ledger) -> Iterator[list[Registered]]:
    start = ""
    while page := ledger.page(start, PAGE):
        yield page
        if len(page) < PAGE:
            return
        start = page[-1].name + "-"  # the cursor is inclusive, and nothing sorts between the two


def _received(ledger: Ledger, keys: Keyring, payload: Payload) -> Iterator[Registered]:
    """Names on receiving keys, window by window; a hit moves the window."""
    checked = 0
    while checked < payload.receive + GAP:
        window = {keys.receive(index): index for index in range(checked, payload.receive + GAP)}
        checked = payload.receive + GAP
        for entry in ledger.owned_by(list(window)):
            payload.receive = max(payload.receive, window[entry.owner] + 1)
            yield entry
