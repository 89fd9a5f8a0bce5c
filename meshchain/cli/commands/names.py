"""Names in the ledger: one, all, a name's past, proofs and signatures."""

import re
from typing import TYPE_CHECKING, Final

import click

from meshchain.cli import display
from meshchain.cli.commands.status import name_state
from meshchain.rpc.client.commandline import Command, pass_session
from meshchain.rpc.client.errors import ClientError, Json
from meshchain.rpc.client.session import Session

if TYPE_CHECKING:
    from meshchain.ledger.params import Params
    from meshchain.rpc.client.connection import Client

_PAGE: Final = 500
_KEY_DIGITS: Final = 66
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_ROW: Final = ("name", "status", "ip6", "owner", "expires", "expires_in")


def typed(name: str) -> str:
    """NAME as people type it, with .mesh or in another script, as the ledger has it; WrongUse with the rule."""
    from meshchain.rpc.client import idn

    return idn.parse(name).ledger


@click.command(cls=Command)
@click.argument("name")
@pass_session
def show(session: Session, name: str) -> None:
    """One name: address, owner, record, deadlines.

    Exits 1 if it is not registered.
    """
    document = session.client().call("name_show", typed(name))
    session.emit(document, lambda: show_text(document, session.params))


def show_text(entry: dict[str, Json], params: "Params") -> str:
    record = dict(entry["value"])
    hosts, dns = record.pop("hosts", []), record.pop("dns", [])
    head = display.fields(
        [
            ("name", f"{entry['name']}.mesh"),
            ("status", f"{'active, ' if entry['status'] == 'active' else ''}{name_state(entry, params)}"),
            ("address", entry["ip6"] or "none"),
            ("owner", entry["owner"]),
            ("registered", f"at height {entry['registered']}, reg {entry['reg']}"),
            ("last change", f"at height {entry['height']}, seq {entry['seq']}, txid {entry['txid']}"),
            *((key, value) for key, value in record.items()),
        ]
    )
    parts = [head]
    if hosts:
        rows = [(h["label"] or "@", h["ip6"], h["zone"], h["key"]) for h in hosts]
        parts.append(display.table(("host", "address", "zone", "key"), rows))
    if dns:
        rows = [(label or "@", kind, ttl, text) for label, kind, ttl, text in dns]
        parts.append(display.table(("label", "type", "ttl", "data"), rows))
    return "\n\n".join(parts)


def parse_span(text: str) -> int:
    """30d, 12h, 2w: seconds."""
    found = re.fullmatch(r"([0-9]{1,6})([mhdwy])", text, re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} is no span like 30d (m, h, d, w or y)")
    return int(found[1]) * _UNITS[found[2]]


@click.command(cls=Command)
@click.option("--expiring", metavar="SPAN", type=parse_span, help="Only names that expire within SPAN, like 30d.")
@click.option("--prefix", metavar="TEXT", default="", help="Only names that begin with TEXT.")
@pass_session
def names(session: Session, expiring: int | None, prefix: str) -> None:
    """All names, or those that expire soon.

    In order of name; with --expiring the most urgent first, names in grace included.
    """
    rows = [{key: name[key] for key in _ROW} for name in _scan(session.client(), prefix)]
    if expiring is not None:
        blocks = expiring // session.params.consensus.spacing
        rows = [row for row in rows if row["status"] != "revoked" and row["expires_in"] <= blocks]
        rows.sort(key=lambda row: int(row["expires_in"]))
    session.emit(rows, lambda: _names_text(rows, session.params))


def _scan(client: "Client", prefix: str) -> list[dict[str, Json]]:
    """All pages; nothing sorts between a page's last name and that name followed by '-'."""
    found: list[dict[str, Json]] = []
    start = ""
    while page := client.call("name_scan", start, _PAGE, {"prefix": prefix}):
        found += page
        start = f"{page[-1]['name']}-"
    return found


def _names_text(rows: list[dict[str, Json]], params: "Params") -> str:
    if not rows:
        return "no names"
    cells = [(f"{row['name']}.mesh", row["ip6"] or "-", name_state(row, params)) for row in rows]
    return display.table(("name", "address", "deadline"), cells)


@click.command(cls=Command)
@click.argument("name")
@pass_session
def history(session: Session, name: str) -> None:
    """Every operation on a name.

    Oldest first, earlier lives included.
    """
    document = session.client().call("name_history", typed(name))
    session.emit(document, lambda: _history_text(document))


def _history_text(rows: list[dict[str, Json]]) -> str:
    cells = [
        (r["height"], display.moment(r["time"]), r["kind"], r["seq"], display.short(r["owner"]), r["txid"])
        for r in rows
    ]
    return display.table(("height", "time (UTC)", "kind", "seq", "owner", "txid"), cells)


@click.command(cls=Command)
@click.argument("name")
@pass_session
def proof(session: Session, name: str) -> None:
    """Prove that a name is registered, or is not.

    The proof is verified here before it is shown; a proven absence exits 0 too.
    """
    document = session.client().call("name_proof", typed(name))
    present = _verified(document)
    if session.json:
        session.note("verified: the proof leads to the state root")
    session.emit(document, lambda: _proof_text(document, present=present))


def _verified(document: dict[str, Json]) -> bool:
    """Whether the name is there, by the proof alone; ClientError if the proof is not what the node says."""
    from meshchain.ledger.errors import ProofError
    from meshchain.ledger.proof import verify_proof

    try:
        proof, root = bytes.fromhex(document["proof"]), bytes.fromhex(document["root"])
        present: bool = verify_proof(proof, root, document["name"]) is not None
    except (ProofError, ValueError) as error:
        code = getattr(error, "code", "hex")
        raise ClientError("proof-invalid", f"the node's proof does not hold: {error}", rule=code) from None
    if present != document["present"]:
        raise ClientError("proof-invalid", "the node's proof shows the opposite of what the node says", rule="present")
    return present


def _proof_text(document: dict[str, Json], *, present: bool) -> str:
    verdict = "is registered" if present else "is not registered"
    return display.fields(
        [
            ("name", f"{document['name']}.mesh {verdict}; verified: the proof leads to the root"),
            ("height", document["height"]),
            ("root", document["root"]),
            ("proof", document["proof"]),
        ]
    )


@click.command(cls=Command)
@click.argument("name")
@click.argument("message")
@click.argument("signature")
@pass_session
def verify(session: Session, name: str, message: str, signature: str) -> int:
    """Check a message's signature.

    MESSAGE must have been signed by the present owner of NAME, or by the key that is given instead. Exits 1 if
    it was not.
    """
    who = name if len(name) == _KEY_DIGITS else typed(name)
    valid = session.client().call("verifymessage", who, signature, message)
    session.emit({"name": name, "valid": valid}, "valid" if valid else "not valid")
    return 0 if valid else 1
