"""Where a value comes from. Earlier layers win: command line, environment, file, fallbacks of ``--scratch``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from meshchain.config.options import OPTIONS


@dataclass(frozen=True, slots=True)
class Given:
    """The texts given for one option in one place (several only for options that take many)."""

    texts: tuple[str, ...]
    where: str
    """As messages name it: ``--rpc``, ``MESH_NETWORK``, ``node.toml:3: rpc``."""


Layer: TypeAlias = Mapping[str, Given]


def command_line_layer(values: Mapping[str, Sequence[str]]) -> Layer:
    """From option name → texts."""
    return {name: Given(tuple(texts), f"--{name}") for name, texts in values.items()}


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """From the process's environment; empty variables count as unset."""
    found: dict[str, Given] = {}
    for option in OPTIONS:
        if option.environment is not None and environment.get(option.environment):
            found[option.name] = Given((environment[option.environment],), option.environment)
    return found


def merge(layers: Sequence[Layer]) -> Layer:
    """Option name → what the first layer that has it gives; lists are replaced, never joined."""
    merged: dict[str, Given] = {}
    for layer in reversed(layers):
        merged.update(layer)
    return merged
