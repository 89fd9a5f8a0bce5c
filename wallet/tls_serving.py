"""``meshwallet tls``: a key for a server, the record that vouches for it, and its replacement.

Theory of operation
-------------------
A cache may hold the old record for one TTL, and a resolver behind another cache for nearly another. So a key is
replaced in steps (RFC 7671 §8.1), of which each ``--rollover`` does the one that is due::

    none      --next key made, its record published beside the old one-->                       published
    published --the record is in the chain, and two TTLs have passed: files are exchanged-->     switched
    switched  --two TTLs in which the server is reloaded: the old record is withdrawn-->         none

Typed too early, it says how long to wait and changes nothing. Every step can be repeated after a crash: records are
set by their text, the key that is there is used again, and the state is written after the step.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from meshchain.ledger.entry import Record
from wallet import dns_records, writing
from wallet.context import Wallet
from wallet.tls_files import Rollover, TlsFolder

KIND: Final = "TLSA"
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records stand."""

    name: str
    """Of the ledger, without .mesh."""
    port: int
    ttl: int

    @property
    def label(self) -> str:
        return f"_{self.port}._tcp"

    @property
    def host(self) -> str:
        return f"{self.name}.mesh"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done. ``wait_s``: until the next step of a rollover; ``says``: for people."""

    state: str
    says: str
    txids: tuple[str, ...] = ()
    wait_s: int = 0


def serve(wallet: Wallet, place: Place, out: Path, *, rollover: bool, clock: Clock = time.time) -> None:
    """Do what is due, and print it."""
    folder = TlsFolder(out, place.host)
    step = _roll(wallet, place, folder, clock) if rollover else _begin(wallet, place, folder, clock)
    if wallet.options.wait and step.txids:
        wallet.follow(step.txids, place.name)
    document: dict[str, Any] = {
        "name": place.name, "state": step.state, "record": folder.record(), "label": place.label, "ttl": place.ttl,
        "key": str(folder.key), "certificate": str(folder.certificate), "expires": folder.expires().isoformat(),
        "txids": list(step.txids), "wait_s": step.wait_s, "says": step.says,
    }  # fmt: skip
    wallet.emit(document, f"{step.says}\n\n{usage(folder, place)}")


def usage(folder: TlsFolder, place: Place) -> str:
    """For the configuration of a web server."""
    certificate, key = folder.certificate.absolute(), folder.key.absolute()
    listen = "443" if place.port == 443 else str(place.port)
    return "\n".join((
        "nginx:",
        f"    server {{ listen [::]:{listen} ssl; server_name {place.host};",
        f"             ssl_certificate {certificate}; ssl_certificate_key {key}; }}",
        "caddy:",
        f"    {place.host}{'' if place.port == 443 else f':{place.port}'} {{",
        f"        tls {certificate} {key}",
        "    }",
        f"then: meshctl tls check {place.host}{'' if place.port == 443 else f':{place.port}'}",
    ))  # fmt: skip


def _begin(wallet: Wallet, place: Place, folder: TlsFolder, clock: Clock) -> Step:
    text = folder.make(_moment(clock))
    txids = _publish(wallet, place, text)
    others = [known for known in _published(wallet, place) if known != text]
    says = f"{place.host}: {folder.key} and {folder.certificate} are vouched for by {place.label} {KIND} {text}"
    if others:
        says += f"\nother records stand beside it: {'; '.join(others)}"
    return Step("published", says, txids)


def _roll(wallet: Wallet, place: Place, folder: TlsFolder, clock: Clock) -> Step:
    state = folder.load_rollover()
    if state is None:
        return _announce(wallet, place, folder, clock)
    if state.since is None:
        if folder.record(following=True) not in _published(wallet, place):
            txids = _publish(wallet, place, folder.record(following=True))
            return Step("publishing", "the record of the next key is not in the chain yet; try again later", txids)
        state = replace(state, since=clock())
        folder.save_rollover(state)
    left = state.since + 2 * state.ttl - clock() if state.since is not None else 0.0
    if left > 0:
        return Step(state.stage, _wait_words(state, left), wait_s=int(left) + 1)
    return _switch(folder, state, clock) if state.stage == "published" else _withdraw(wallet, place, folder, state)


def _announce(wallet: Wallet, place: Place, folder: TlsFolder, clock: Clock) -> Step:
    old = folder.record()
    new = folder.make(_moment(clock), following=True)
    txids = _publish(wallet, place, old, new)
    folder.save_rollover(Rollover("published", old, place.ttl))
    says = f"{place.host}: the next key is published beside the old one; `--rollover` again goes on"
    return Step("published", says, txids)


def _switch(folder: TlsFolder, state: Rollover, clock: Clock) -> Step:
    if folder.record() == state.old:
        folder.switch()
    folder.save_rollover(replace(state, stage="switched", since=clock()))
    says = (
        f"{folder.host}: the new key is in place. Reload the server now; in {2 * state.ttl} s `--rollover` again"
        " withdraws the old record"
    )
    return Step("switched", says, wait_s=2 * state.ttl)


def _withdraw(wallet: Wallet, place: Place, folder: TlsFolder, state: Rollover) -> Step:
    def without(record: Record) -> Record:
        listed = dns_records.entries(record)
        gone = any((e[0], e[1], e[3]) == (place.label, KIND, state.old) for e in listed)
        return dns_records.drop(record, place.label, KIND, state.old) if gone else record

    txids = writing.change(wallet, place.name, lambda desk: [desk.update(without(desk.standing.record))])
    folder.save_rollover(None)
    return Step("done", f"{place.host}: the old record is withdrawn; the rollover is done", tuple(txids))


def _wait_words(state: Rollover, left: float) -> str:
    then = "put the new key in place" if state.stage == "published" else "withdraw the old record"
    return f"caches may hold the old answer: wait {int(left) + 1} s, then `--rollover` again to {then}"


def _publish(wallet: Wallet, place: Place, *texts: str) -> tuple[str, ...]:
    """Beside what is there; nothing is written if all stand already."""
    wanted = [dns_records.parse(place.name, place.label, KIND, place.ttl, text) for text in texts]

    def put(record: Record) -> Record:
        for entry in wanted:
            record = dns_records.put(record, entry, keep=True)
        return record

    if set(texts) <= set(_published(wallet, place)):
        return ()
    return tuple(writing.change(wallet, place.name, lambda desk: [desk.update(put(desk.standing.record))]))


def _published(wallet: Wallet, place: Place) -> list[str]:
    """In the chain."""
    entry = wallet.ledger.registered(place.name)
    listed = [] if entry is None else dns_records.entries(entry.record)
    return [text for label, kind, _ttl, text in listed if (label, kind) == (place.label, KIND)]


def _moment(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock(), UTC)
