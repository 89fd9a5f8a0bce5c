"""Configurations as TOML: the commented example, and the effective configuration with the source of each value."""

import json
import textwrap
from typing import Any, Final

from meshchain.config.config import Config
from meshchain.config.options import OPTIONS, Option
from meshchain.ledger.params import Params
from meshrouter.policy.rule import Rule

_WIDTH: Final = 96
_HEAD: Final = """\
# meshd's configuration: meshd --config THIS_FILE
# Each line shows the default or an example: remove the leading '#' and change it. An option on the command
# line wins over the environment, which wins over this file. Check with: meshd --config THIS_FILE --check-config
"""

_RULES: Final = """\
# Rules about packets, at the end of the file: of those that fit a packet the first decides, and none means accept.
# direction: "accept" is about what comes to this host, "forward" about what it carries for others (by name and zone
# only: what is in it is sealed from end to end). What a rule leaves out fits anything.
#[[rule]]
#action = "drop"
#direction = "accept"
#name = "*.alice"
#zone = 0
#protocol = "tcp"
#port = "8000-8099"
"""


def example(params: Params) -> str:
    """A file in which every option is explained and commented out; ``params`` gives the default ports."""
    return "\n".join([_HEAD, *(_example_of(option, params) for option in OPTIONS), _RULES])


def _example_of(option: Option, params: Params) -> str:
    default = option.default(params) if option.default else ""
    note = f"Default: {option.default_note}." if option.default_note else f"Default: {default}."
    words = f"{option.help} {note}{' One or more, in an array.' if option.many else ''}"
    comment = textwrap.fill(
        words, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False, break_long_words=False
    )
    text = option.example or default
    value: str | int | list[str] = int(text) if option.integer else [text] if option.many else text
    return f"{comment}\n#{option.name} = {toml_value(value)}\n"


def effective(config: Config) -> str:
    """What meshd would run with, as a file that loads to the same; each line says where its value is from."""
    values = _values(config)
    lines = [_line(option.name, values[option.name], config.sources[option.name]) for option in OPTIONS]
    return "\n".join([*lines, *map(_rule, config.rules)]) + "\n"


def _rule(rule: Rule) -> str:
    return "\n".join(["", "[[rule]]", *(f"{key} = {toml_value(value)}" for key, value in rule.to_form().items())])


def _line(name: str, value: str | int | list[str] | None, source: str) -> str:
    if value is None:
        return f"#{name} = …  # {source}"
    return f"{name} = {toml_value(value)}  # {_one_line(source)}"


def _values(config: Config) -> dict[str, Any]:
    plain = {name: getattr(config, name) for name in ("rpc", "dns", "p2p", "tun", "socks", "proxy")}
    return {
        **{name: "off" if value is None else str(value) for name, value in plain.items()},
        "network": config.network,
        "datadir": str(config.datadir.parent),
        "dns-forward": [str(address) for address in config.dns_forward],
        "peer": [str(address) for address in config.peers],
        "link": None if config.links is None else [str(link) for link in config.links],
        "zone": config.zone,
        "mine": "auto" if config.mine else "off",
    }


def toml_value(value: str | int | list[str]) -> str:
    """A TOML integer, basic string (TOML 1.0: JSON's escapes, and DEL escaped too) or array of them."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(source: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in source)
