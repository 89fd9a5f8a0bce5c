"""The ``list`` and ``show`` commands: the ledger's view of names, next to what is still under way."""

from collections.abc import Iterable
from typing import Any

from meshchain.ledger import record_json
from meshchain.rpc.client import idn
from wallet import dns_records, owned, restoring
from wallet.context import Wallet
from wallet.errors import RefusalError
from wallet.progress import describe
from wallet.remote import Queued, Registered


def list_names(wallet: Wallet, *, rescan: bool) -> None:
    """Print {names: [{name, status, …}…]}: names of the wallet, then registrations under way and those that failed."""
    if rescan:
        restoring.rescan(wallet)
    queue = wallet.ledger.queue()
    with wallet.keystore.edit() as edit:
        entries = owned.names(wallet.ledger, edit.payload, wallet.keys(edit.payload))
        noted = set(edit.payload.names)
    missing = noted - {entry.name for entry in entries}
    rows = [_row(entry) for entry in entries] + _unregistered(item for item in queue if item.name in missing)
    wallet.emit({"names": rows}, _table(rows) or "this wallet has no names yet")


def show(wallet: Wallet, text: str) -> None:
    """Print one name; RefusalError (name-not-found) if it is neither registered nor under way."""
    name = idn.parse(text).ledger
    queue = [item for item in wallet.ledger.queue() if item.name == name and (item.working or item.failed)]
    entry = wallet.ledger.registered(name)
    if entry is None and not queue:
        raise RefusalError("name-not-found", f"{name}.mesh is not registered", name=name)
    document: dict[str, Any] = {"name": name, "status": "registering"} if entry is None else _full(wallet, entry)
    document["queue"] = [{"txid": i.txid, "kind": i.kind, "state": i.state, "reason": i.reason} for i in queue]
    wallet.emit(document, _text(document, entry, queue))


def _unregistered(queue: Iterable[Queued]) -> list[dict[str, Any]]:
    """Rows of registrations without an entry: under way, or failed and why; a new attempt hides a failed one."""
    found: dict[str, dict[str, Any]] = {}
    for item in sorted((item for item in queue if item.kind == "reveal"), key=lambda item: item.working):
        if item.name is not None and (item.working or item.failed):
            status = "registering" if item.working else item.state
            found[item.name] = {"name": item.name, "status": status, "reason": item.reason}
    return [found[name] for name in sorted(found)]


def _row(entry: Registered) -> dict[str, Any]:
    return {
        "name": entry.name,
        "status": entry.status,
        "ip6": entry.ip6,
        "expires": entry.expires,
        "expires_in": entry.expires_in,
        "owner": entry.owner.hex(),
        "seq": entry.seq,
    }


def _full(wallet: Wallet, entry: Registered) -> dict[str, Any]:
    value = record_json.to_json(entry.record)
    return {
        **_row(entry),
        "registered": entry.registered,
        "reg": entry.reg.hex(),
        "mine": _is_mine(wallet, entry),
        "value": value,
    }


def _is_mine(wallet: Wallet, entry: Registered) -> bool | None:
    """None where there is no wallet to compare with."""
    if not wallet.keystore.exists():
        return None
    payload = wallet.keystore.open()
    return wallet.keys(payload).owns(entry.name, entry.owner, payload.receive)


def _table(rows: list[dict[str, Any]]) -> str:
    """Name, status, address and deadline in columns."""
    cells = [(f"{row['name']}.mesh", row["status"], row.get("ip6") or "-", _deadline(row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _deadline(row: dict[str, Any]) -> str:
    """When the name expires, or what there is to say instead."""
    if "reason" in row:
        return str(row["reason"])
    if row["status"] == "active":
        return f"expires in {row['expires_in']} blocks"
    return "renew it now" if row["status"] == "grace" else ""


def _text(document: dict[str, Any], entry: Registered | None, queue: list[Queued]) -> str:
    lines = [f"{document['name']}.mesh  {document['status']}"]
    if entry is not None:
        whose = {True: " (this wallet)", False: " (not this wallet)", None: ""}[document["mine"]]
        lines += [
            f"  address  {entry.ip6 or 'none'}",
            f"  owner    {entry.owner.hex()}{whose}",
            f"  expires  at block {entry.expires} (in {entry.expires_in} blocks)",
            f"  seq      {entry.seq}",
        ]
        lines += [f"  host     {h['label'] or '@'} {h['key']} {h['ip6']}" for h in document["value"].get("hosts", [])]
        lines += [f"  dns      {e[0] or '@'} {e[2]} {e[1]} {e[3]}" for e in dns_records.entries(entry.record)]
    return "\n".join([*lines, *(f"  queue    {describe(item)}" for item in queue)])
