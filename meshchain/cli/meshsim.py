"""meshsim: many nodes of this very router and gossip in one process, on virtual links and a virtual clock."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from meshchain import __version__
from meshchain.rpc.client.commandline import SETTINGS, pass_session, run
from meshchain.rpc.client.errors import Json, WrongUse
from meshchain.rpc.client.session import Session

if TYPE_CHECKING:
    from meshchain.sim.mesh.topology import Topology

SHAPES: Final = ("grid", "line", "tree", "random")
_NODES: Final = 50
_CURVE_ROWS: Final = 12
_BAR: Final = 30


def _as_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context.ensure_object(Session).json = value


@click.command(name="meshsim", context_settings=SETTINGS)
@click.option("--nodes", type=int, metavar="N", help=f"How many.  [default: {_NODES}; a FILE sets it]")
@click.option(
    "--topology", "shape", metavar="grid|line|tree|random|FILE.json", default="random", show_default=True,
    help="Who is linked to whom.",
)  # fmt: skip
@click.option("--seconds", type=float, default=60.0, show_default=True, metavar="T", help="Virtual time.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="Of all chance.")
@click.option(
    "--loss", type=click.Choice(["none", "tq"]), default="none", show_default=True,
    help="Whether the FILE's link qualities become loss.",
)  # fmt: skip
@click.option("--guests", type=float, default=0.0, show_default=True, metavar="F", help="Share without a name.")
@click.option("--json", is_flag=True, expose_value=False, callback=_as_json, help="Print one JSON document.")
@click.version_option(__version__)
@pass_session
def meshsim(
    session: Session, nodes: int | None, shape: str, seconds: float, seed: int, loss: str, guests: float
) -> None:
    """Simulate a network of N whole nodes for T seconds of virtual time, and report how it did.

    Delivery is measured by packets from TUN to TUN between pairs that the graph connects. docs/simulation.md explains
    the report.
    """
    _check(seconds, guests, loss, shape)
    topology = _topology(shape, nodes, seed)
    from meshchain.sim.mesh.simulation import Plan, Simulation

    plan = Plan(topology=topology, seconds=seconds, seed=seed, guests=guests, lossy=loss == "tq")
    with _progress(topology.nodes, seconds) as progress:
        report = Simulation(plan, progress).run()
    session.emit(report, lambda: text(report))


def _check(seconds: float, guests: float, loss: str, shape: str) -> None:
    if not 2 <= seconds <= 1_000_000:
        raise WrongUse("usage", f"--seconds is 2 to 1,000,000, not {seconds:g}: a probe alone may take one")
    if not 0 <= guests <= 1:
        raise WrongUse("usage", f"--guests is a share of the nodes, 0 to 1, not {guests:g}")
    if loss == "tq" and shape in SHAPES:
        raise WrongUse("usage", f"--loss tq takes the link qualities of a FILE; a {shape} has none")


def _topology(shape: str, nodes: int | None, seed: int) -> "Topology":
    from meshchain.sim.mesh import topology

    try:
        if shape in SHAPES:
            return topology.made(shape, _NODES if nodes is None else nodes, seed)
        if not shape.endswith(".json"):
            raise WrongUse("usage", f"--topology is one of {', '.join(SHAPES)} or a FILE.json, not {shape!r}")
        read = topology.read(Path(shape))
    except topology.TopologyError as error:
        raise WrongUse("topology", str(error)) from None
    if nodes is not None and nodes != read.nodes:
        raise WrongUse("usage", f"{shape} has {read.nodes} nodes: leave out --nodes {nodes}")
    return read


@contextmanager
def _progress(nodes: int, seconds: float) -> Iterator[Callable[[float], None]]:
    """A bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _now: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn(f"{nodes} nodes"), BarColumn(), TextColumn("{task.completed:.1f} of {task.total:g} s"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=seconds)
        yield lambda now: bar.update(task, completed=now)


# --- for people ----------------------------------------------------------------------------------------------


def text(report: dict[str, Json]) -> str:
    """The report as plain text."""
    start, control, stretch = (report[key] for key in ("cold_start_s", "control_bytes_per_node_second", "stretch"))
    final = report["delivery"]["final"]
    lines = [
        f"{report['nodes']} nodes, {report['links']} links, {report['seconds']:g} s, seed {report['seed']}",
        "",
        *_curve(report["delivery"]["curve"]),
        "",
        f"delivered at the end   {'nothing to deliver' if final is None else f'{final:.1%}'}",
        f"cold start             {', '.join(f'{level} % after {_number(at)} s' for level, at in start.items())}",
        f"loops                  {report['loops']}",
        f"control, bytes/s       {_spread(control)} of a node",
        f"stretch                {_spread(stretch)}",
        f"cost                   {report['cpu_seconds']:.1f} s of CPU, {report['max_rss_bytes'] / 1e6:.0f} MB",
    ]
    return "\n".join(lines)


def _curve(curve: list[list[float]]) -> Iterator[str]:
    """Some of it, the first and the last among them."""
    step = max(1, -(-len(curve) // _CURVE_ROWS))
    for number, (time, ratio) in enumerate(curve):
        if number % step == 0 or number == len(curve) - 1:
            yield f"{time:8.2f} s {ratio:7.1%}  {'#' * round(_BAR * ratio)}"


def _spread(values: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {_number(value)}" for name, value in values.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> None:
    sys.exit(run(meshsim))


if __name__ == "__main__":
    main()
