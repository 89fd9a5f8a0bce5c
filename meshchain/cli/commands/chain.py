"""``chain``: the blocks' state, rival tips, and what only an operator may decide."""

from typing import Final

import click

from meshchain.cli import display
from meshchain.rpc.client.commandline import Group, pass_session
from meshchain.rpc.client.errors import Json
from meshchain.rpc.client.session import Session

_CHECK_TIMEOUT: Final = 86400.0
"""Seconds: every block is replayed, so a long chain takes long; Ctrl-C ends the wait, not the check."""


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def chain(context: click.Context) -> None:
    """The chain's state, rival tips, a check."""
    if context.invoked_subcommand is None:
        session = context.ensure_object(Session)
        info = session.client().call("getblockchaininfo")
        session.emit(info, lambda: _chain_text(info))


def _chain_text(info: dict[str, Json]) -> str:
    return display.fields(
        [
            ("network", info["chain"]),
            ("height", f"{info['blocks']} (best known {info['headers']})"),
            ("tip", info["bestblockhash"]),
            ("time", f"{display.moment(info['time'])} UTC (median {display.moment(info['mediantime'])})"),
            ("difficulty", f"{info['difficulty']:g} (bits {info['bits']})"),
            ("work", info["chainwork"].lstrip("0") or "0"),
            ("synced", "no" if info["initialblockdownload"] else "yes"),
            ("genesis", info["genesis"]),
            ("alarms", "\n".join(info["warnings"]) or "none"),
        ]
    )


@chain.command()
@pass_session
def tips(session: Session) -> None:
    """All known chain tips; a parked one is heavier but undoes settled blocks."""
    document = session.client().call("getchaintips")
    session.emit(document, lambda: _tips_text(document))


def _tips_text(tips: list[dict[str, Json]]) -> str:
    rows = [(tip["height"], tip["branchlen"], tip["status"], tip["hash"]) for tip in tips]
    text = display.table(("height", "branch", "status", "hash"), rows)
    parked = any(tip["status"] == "parked" for tip in tips)
    return f"{text}\n\nAdopt a parked chain at once: meshctl chain accept HASH" if parked else text


@chain.command()
@click.argument("block", metavar="HASH")
@pass_session
def accept(session: Session, block: str) -> None:
    """Adopt the parked chain that ends in HASH at once, whatever it undoes."""
    session.client().call("acceptchain", block)
    session.emit({"accepted": block}, f"accepted {block}")


@chain.command()
@pass_session
def check(session: Session) -> int:
    """Rebuild state and indexes from the blocks and compare; exits 1 and names the first difference."""
    session.note("checking every block; this may take a while")
    report = session.client(timeout=_CHECK_TIMEOUT).call("checkchain")
    session.emit(report, lambda: _check_text(report))
    return 0 if report["ok"] else 1


def _check_text(report: dict[str, Json]) -> str:
    if report["ok"]:
        return f"sound: {display.count(report['checked'], 'block')} checked, up to height {report['height']}"
    return f"damaged: {report['difference']} ({display.count(report['checked'], 'block')} checked)"
