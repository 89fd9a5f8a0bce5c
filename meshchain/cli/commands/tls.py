"""``tls check``: whether the ledger vouches for a server, and what to change."""

import click

from meshchain.cli import display
from meshchain.rpc.client.commandline import Group, pass_session
from meshchain.rpc.client.errors import Json, WrongUse
from meshchain.rpc.client.session import Session

_PORT = 443
_TIMEOUT = 30.0


@click.group(cls=Group)
def tls() -> None:
    """Check TLS servers of the mesh against the ledger."""


@tls.command("check")
@click.option("--connect", metavar="HOST:PORT", help="Connect there instead of to the name's address.")
@click.argument("target", metavar="NAME[:PORT]")
@pass_session
def check(session: Session, connect: str | None, target: str) -> int:
    """Connect to a server, and judge its certificate by the name's TLSA records.

    Prints a verdict for each record and what to change. Exits 1 if the ledger does not vouch for the server.
    """
    name, port = parse_target(target)
    options = {"port": port, **({"connect": connect} if connect else {})}
    document = session.client(timeout=_TIMEOUT).call("tls_check", name, options)
    session.emit(document, lambda: text(document))
    return 0 if document["ok"] else 1


def parse_target(target: str) -> tuple[str, int]:
    """NAME or NAME:PORT; labels in any script."""
    from meshchain.rpc.client import idn

    name, colon, digits = target.partition(":")
    if colon and not (digits.isascii() and digits.isdecimal() and 1 <= int(digits[:6]) <= 65535):
        raise WrongUse("bad-port", f"{digits[:20]!r} is no port from 1 to 65535")
    labels, _, last = name.removesuffix(".").removesuffix(".mesh").rpartition(".")
    host = f"{labels}.{idn.parse(last).ledger}.mesh" if labels else f"{idn.parse(last).ledger}.mesh"
    return host, int(digits) if colon else _PORT


def text(document: dict[str, Json]) -> str:
    verdict = "ok" if document["ok"] else f"REFUSED ({document['reason']})"
    fields = [
        ("server", f"{document['host']}:{document['port']} at {document['connected']}"),
        ("verdict", f"{verdict}: {document['says']}"),
        ("certificates", document["certificates"]),
    ]
    parts = [display.fields(fields)]
    if document["records"]:
        rows = [("ok" if row["ok"] else "no", row["record"], row["says"]) for row in document["records"]]
        parts.append(display.table(("", "record", "verdict"), rows))
    if document["changes"]:
        parts.append("to change:\n" + "\n".join(f"  {change}" for change in document["changes"]))
    return "\n\n".join(parts)
