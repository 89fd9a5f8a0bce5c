"""``resolve`` and ``dns``: names as programs see them, and how a machine's resolver comes to ask this node."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from meshchain.cli import display
from meshchain.rpc.client.commandline import Command, Group, pass_session
from meshchain.rpc.client.errors import ClientError, Json, WrongUse
from meshchain.rpc.client.session import Session

if TYPE_CHECKING:
    import dns.message

    from meshchain.dns.setup import Plan, Server

_TIMEOUT: Final = 5.0
_RESOLVERS: Final = ("systemd-delegate", "systemd-resolved", "dnsmasq", "unbound")
_DELEGATES: Final = 258
"""The first systemd with dns-delegate.d."""


@click.command(cls=Command)
@click.argument("name")
@click.argument("kind", metavar="[TYPE]", default="AAAA")
@pass_session
def resolve(session: Session, name: str, kind: str) -> int:
    """What DNS answers for NAME and TYPE, straight from the ledger.

    TYPE is AAAA unless given. An address of the mesh as NAME asks for its name. Exits 1 without an answer.
    """
    document = session.client().call("dns_resolve", name, kind)
    for warning in document["warnings"]:
        session.note(f"warning: {warning}")
    session.emit(document, lambda: _answer_text(document))
    return 0 if document["answer"] else 1


def _answer_text(document: dict[str, Json]) -> str:
    rows = [(row["name"], row["ttl"], row["type"], row["data"]) for row in document["answer"] or document["authority"]]
    head = "" if document["answer"] else f"{document['name']} {document['type']}: {document['status']}\n"
    return head + display.table(("name", "ttl", "type", "data"), rows)


@click.group(cls=Group, name="dns")
def dns_group() -> None:
    """The node's DNS server and this machine's resolver."""


_server_option = click.option(
    "--server", metavar="HOST:PORT", help="Where the node's DNS server listens, if not at the network's port."
)


@dns_group.command(cls=Command)
@_server_option
@pass_session
def anchor(session: Session, server: str | None) -> None:
    """The trust anchors of this node's zones, as DS and DNSKEY.

    The key is this node's own: another node has another.
    """
    host, port = _server(session, server)
    document = [_anchor_of(host, port, zone) for zone in _zones()]
    session.emit(
        document,
        lambda: "\n".join(f"{z['zone']} IN DS {z['ds']}\n{z['zone']} IN DNSKEY {z['dnskey']}" for z in document),
    )


def _anchor_of(host: str, port: int, zone: str) -> dict[str, Json]:
    import dns.dnssec
    import dns.rdatatype

    message = _ask(host, port, zone, "DNSKEY")
    keys = [item for rrset in message.answer if rrset.rdtype == dns.rdatatype.DNSKEY for item in rrset]
    if not keys:
        raise ClientError("dns-no-key", f"{host}:{port} shows no key of {zone}: {_status(message)}")
    ds = dns.dnssec.make_ds(f"{zone}.", keys[0], "SHA256")
    return {"zone": f"{zone}.", "ds": str(ds), "dnskey": keys[0].to_text(chunksize=0)}


@dns_group.command(cls=Command)
@click.option("--for", "resolver", type=click.Choice(_RESOLVERS), help="The resolver, if not the one found here.")
@click.option("--apply", "do_apply", is_flag=True, help="Write the files.")
@click.option("--undo", "do_undo", is_flag=True, help="Remove what --apply wrote.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), help="Instead of /.")
@_server_option
@pass_session
def setup(
    session: Session, resolver: str | None, do_apply: bool, do_undo: bool, root: Path, server: str | None
) -> None:
    """Let this machine's resolver ask the node for .mesh.

    Prints the configuration for systemd-resolved (old and new), dnsmasq or unbound; with --apply writes it, with
    --undo removes it. resolv.conf is never touched.
    """
    from meshchain.dns.setup import PLANS, SetupError, apply, undo

    if do_apply and do_undo:
        raise WrongUse("usage", "--apply and --undo are two things")
    chosen = resolver or _found(root)
    where = _server(session, server)
    plan = PLANS[chosen](_described(where, undoing=do_undo))
    try:
        done = apply(plan, root) if do_apply else undo(plan, root) if do_undo else None
    except SetupError as error:
        raise ClientError(error.code, error.message) from None
    document = {
        "resolver": chosen,
        "files": [{"path": str(path), "text": text} for path, text in plan.files],
        "changed": [str(path) for path in done or ()],
        "after": plan.after,
    }
    session.emit(document, lambda: "\n".join(_setup_lines(plan, chosen, done, undone=do_undo)))


def _setup_lines(plan: "Plan", resolver: str, done: Sequence[Path] | None, *, undone: bool) -> Iterator[str]:
    if done is None:
        yield f"# for {resolver}; `meshctl dns setup --for {resolver} --apply` writes this"
        for path, text in plan.files:
            yield f"\n# {path}\n{text.rstrip()}"
        return
    yield from (f"{'removed' if undone else 'wrote'} {path}" for path in done)
    if not done:
        yield "there was nothing to remove"
    yield f"now run: {plan.after}" + ("" if undone else "; then prove it: meshctl dns test")


def _described(where: tuple[str, int], *, undoing: bool) -> "Server":
    """With the anchors of the running server; an undo needs none."""
    from meshchain.dns.setup import Server

    zones = _zones()
    return Server(*where, ds=["" if undoing else _anchor_of(*where, zone)["ds"] for zone in zones])


def _found(root: Path) -> str:
    """The resolver of this machine; WrongUse where there is none or several."""
    found = [
        name
        for name in ("dnsmasq", "unbound")
        if (root / "etc" / f"{name}.conf").exists() or (root / "etc" / name).exists()
    ]
    if (root / "run/systemd/resolve").exists():
        found.insert(0, "systemd-delegate" if _systemd() >= _DELEGATES else "systemd-resolved")
    if len(found) != 1:
        seen = f"several resolvers are here ({', '.join(found)})" if found else "no resolver was found"
        raise WrongUse("dns-resolver", f"{seen}: name one with --for {'|'.join(_RESOLVERS)}")
    return found[0]


def _systemd() -> int:
    """Its version; 0 where it does not tell."""
    try:
        said = subprocess.run(
            ["systemctl", "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
        return int(said.split()[1])
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return 0


@dns_group.command(cls=Command)
@_server_option
@pass_session
def test(session: Session, server: str | None) -> int:
    """Prove that .mesh resolves here: by the node's server, and by this machine's resolver.

    Exits 1 if one of them fails.
    """
    host, port = _server(session, server)
    rows = [_trial("the node, by UDP", host, port), _trial("the node, by TCP", host, port, tcp=True), _system_trial()]
    serials = {row["serial"] for row in rows}
    ok = len(serials) == 1 and None not in serials
    document = {"ok": ok, "trials": rows}
    session.emit(document, lambda: "\n".join(_trial_lines(rows, ok=ok)))
    return 0 if ok else 1


def _trial_lines(rows: Sequence[dict[str, Json]], *, ok: bool) -> Iterator[str]:
    for row in rows:
        yield f"{row['by']}: {row['problem'] or 'answers, serial ' + str(row['serial'])}"
    if not ok:
        yield "not all agree: see `meshctl dns setup`, and `meshctl status` for the node"


def _trial(by: str, host: str, port: int, *, tcp: bool = False) -> dict[str, Json]:
    try:
        return _verdict(by, _ask(host, port, "mesh", "SOA", tcp=tcp))
    except ClientError as error:
        return {"by": by, "serial": None, "problem": error.message}


def _verdict(by: str, message: "dns.message.Message") -> dict[str, Json]:
    serials = [item.serial for rrset in message.answer for item in rrset if hasattr(item, "serial")]
    return {"by": by, "serial": serials[0], "problem": None} if serials else {
        "by": by, "serial": None, "problem": _status(message),
    }  # fmt: skip


def _system_trial() -> dict[str, Json]:
    import dns.exception
    import dns.resolver

    by = "this machine's resolver"
    try:
        return _verdict(by, dns.resolver.Resolver().resolve("mesh.", "SOA", lifetime=_TIMEOUT).response)
    except (dns.exception.DNSException, OSError) as error:
        return {"by": by, "serial": None, "problem": " ".join(str(error).split())}


def _zones() -> Sequence[str]:
    from meshchain.dns.setup.plan import ZONES

    return ZONES


def _server(session: Session, given: str | None) -> tuple[str, int]:
    from meshchain.config.values import peer_address

    if given is None:
        return "127.0.0.1", session.params.ports.dns
    try:
        address = peer_address(given)
    except ValueError as error:
        raise WrongUse("usage", f"--server: {error}") from None
    return address.host, address.port


def _ask(host: str, port: int, name: str, kind: str, *, tcp: bool = False) -> "dns.message.Message":
    """ClientError "dns-unreachable" where nobody answers."""
    import dns.exception
    import dns.message
    import dns.query

    query = dns.message.make_query(name, kind, use_edns=0)
    try:
        return (dns.query.tcp if tcp else dns.query.udp)(query, host, _TIMEOUT, port)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        what = " ".join(str(error).split()) or type(error).__name__
        where = f"no DNS server answers at {host}:{port} ({what})"
        raise ClientError("dns-unreachable", f"{where}; is meshd running there with --dns? See --server") from None


def _status(message: "dns.message.Message") -> str:
    import dns.rcode

    reasons = [f": {error.text}" for error in message.extended_errors()]
    return dns.rcode.to_text(message.rcode()) + "".join(reasons)
