"""What meshd runs with: every option of its table, parsed and checked as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from meshchain.config.layers import Given, Layer, command_line_layer, environment_layer, merge
from meshchain.config.links import Link, NoLink
from meshchain.config.options import BY_NAME, Option
from meshchain.config.toml_file import TomlFile
from meshchain.config.values import Address
from meshchain.ledger.errors import LocalError
from meshchain.ledger.params import Params
from meshchain.ledger.params import load as load_params
from meshchain.rpc.client.datadir import default_datadir, network_datadir
from meshrouter.policy.rule import Rule

DEFAULT: Final = "default"
SCRATCH: Final = "--scratch"
_FIRST_FREE_PORT: Final = 1024


class ConfigError(LocalError):
    """Code bad-config; ``problems`` holds every problem, each with the place where it stands."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("bad-config", "\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    network: str
    """As given: a network's name, or the path of its file. ``params.name`` is the name in either case."""
    params: Params
    datadir: Path
    """The network's own folder in ``--datadir``, absolute."""
    rpc: Address
    dns: Address | None
    dns_forward: tuple[Address, ...]
    p2p: Address | None
    peers: tuple[Address, ...]
    links: tuple[Link, ...] | None
    """None: udp on every interface that is up; empty: none."""
    tun: str | None
    zone: int
    mine: bool
    """True: ``--mine auto``."""
    socks: Address | None
    proxy: Address | None
    rules: tuple[Rule, ...]
    """Only a file can hold them."""
    scratch: bool
    """The datadir is temporary and belongs to this run."""
    sources: Mapping[str, str]
    """Option name → the place its value comes from (``--rpc``, ``node.toml:3: rpc``, ``default``)."""

    @property
    def low_ports(self) -> bool:
        """Whether it listens below 1024, for which Unix asks for a right: ``--dns 127.0.0.1:53`` above all."""
        listening = (self.rpc, self.dns, self.p2p, self.socks, self.proxy)
        return any(address is not None and 0 < address.port < _FIRST_FREE_PORT for address in listening)

    @property
    def explicit(self) -> frozenset[str]:
        """Names of the options that the user gave, wherever; e.g. ``{"tun", "dns-forward"}``."""
        return frozenset(n for n, where in self.sources.items() if where not in (DEFAULT, SCRATCH))


def load(
    command_line: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    file: Path | None = None,
    *,
    scratch: Mapping[str, str] | None = None,
) -> Config:
    """Read all sources and return the configuration, or raise ConfigError with every problem found.

    ``command_line`` maps option names to texts. ``scratch`` gives ``--scratch``'s own values: its datadir wins
    over every other, the rest stand in for the defaults.
    """
    toml = None if file is None else TomlFile(file)
    given = merge(
        (
            _scratch_layer(scratch, {"datadir"}),
            command_line_layer(command_line),
            environment_layer(environment),
            {} if toml is None else toml.given,
            _scratch_layer(scratch, BY_NAME.keys() - {"datadir"}),
        )
    )
    problems = [] if toml is None else list(toml.problems)
    values = {name: _parse(BY_NAME[name], found, problems) for name, found in given.items()}
    if problems:
        raise ConfigError(problems)
    rules = () if toml is None else toml.rules
    return _build(values, given, rules, scratch=scratch is not None)


def _scratch_layer(scratch: Mapping[str, str] | None, names: Iterable[str]) -> Layer:
    return {name: Given((scratch[name],), SCRATCH) for name in names if scratch and name in scratch}


def _parse(option: Option, given: Given, problems: list[str]) -> list[Any]:
    """The values without repetitions: a peer that is given twice is one peer."""
    values: list[Any] = []
    for text in given.texts:
        try:
            value = option.parse(text)
        except ValueError as error:
            problems.append(f"{given.where} {text!r}: {error}")
            continue
        if value not in values:
            values.append(value)
    return values


def _build(values: dict[str, list[Any]], given: Layer, rules: tuple[Rule, ...], *, scratch: bool) -> Config:
    network = given["network"].texts[0] if "network" in given else "mesh"
    params: Params = values["network"][0] if "network" in values else load_params(network)

    def one(name: str) -> Any:  # noqa: ANN401 (the option's parser decides)
        default = BY_NAME[name].default
        return values[name][0] if name in values else default and BY_NAME[name].parse(default(params))

    if "link" in values and NoLink() in values["link"] and len(values["link"]) > 1:
        raise ConfigError([f"{given['link'].where}: none stands alone, without other links"])
    config = Config(
        network=network,
        params=params,
        datadir=network_datadir(one("datadir") or default_datadir(), params.name),
        links=_links(values["link"]) if "link" in values else None,
        peers=tuple(values.get("peer", ())),
        dns_forward=tuple(values.get("dns-forward", ())),
        rules=rules,
        scratch=scratch,
        sources={name: given[name].where if name in given else DEFAULT for name in BY_NAME},
        **{name: one(name) for name in ("rpc", "dns", "p2p", "tun", "zone", "mine", "socks", "proxy")},
    )
    if problems := _conflicts(config):
        raise ConfigError(problems)
    return config


def _links(given: list[Link]) -> tuple[Link, ...]:
    return tuple(link for link in given if link != NoLink())


def _conflicts(config: Config) -> list[str]:
    """Options that are well-formed each but cannot hold together."""
    problems = []
    taken: dict[Address, str] = {}
    for name in ("rpc", "dns", "p2p", "socks", "proxy"):
        address: Address | None = getattr(config, name)
        if address is None or address.port == 0:
            continue
        if address in taken:
            problems.append(f"{taken[address]} and {name} cannot both listen at {address}")
        taken[address] = name
    return problems
