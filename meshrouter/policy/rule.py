"""One rule, as the operator writes it.

::

    [[rule]]
    action = "drop"          # or "accept"
    direction = "accept"     # to this host; "forward": what it carries for others
    name = "*.alice"         # the other end's name, with * and ?; "*" is whoever has a name
    zone = 3                 # the other end's zone
    protocol = "tcp"         # tcp, udp, icmp, or a number
    port = 22                # or "8000-8099": of the service on this host

All that a rule gives must fit. ``forward`` rules know names and zones only, of either end: what is carried is sealed
from end to end, so a rule about its ports would never match, and is refused where it is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

ACCEPT: Final = "accept"
DROP: Final = "drop"
FORWARD: Final = "forward"
KEYS: Final = ("action", "direction", "name", "zone", "protocol", "port")
PROTOCOLS: Final = {"tcp": 6, "udp": 17, "icmp": 58}

_NAME: Final = r"[a-z0-9.*?-]{1,253}"
_PORT: Final = r"[0-9]{1,5}"
_MOST: Final = 0xFFFF
_WITH_PORTS: Final = frozenset({PROTOCOLS["tcp"], PROTOCOLS["udp"]})


class RuleError(ValueError):
    """``key``: which part is wrong (or missing); the message says what it must be."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """None: anything fits. ``ports``: first and last."""

    action: str
    direction: str
    name: str | None = None
    zone: int | None = None
    protocol: int | None = None
    ports: tuple[int, int] | None = None

    @classmethod
    def from_form(cls, form: Mapping[str, object]) -> "Rule":
        """From TOML's or JSON's table. RuleError."""
        for key in form:
            if key not in KEYS:
                raise RuleError(key, f"unknown key (known: {', '.join(KEYS)})")
        rule = cls(
            action=_word(form, "action", (ACCEPT, DROP)),
            direction=_word(form, "direction", (FORWARD, ACCEPT)),
            name=_name(form.get("name")),
            zone=_zone(form.get("zone")),
            protocol=_protocol(form.get("protocol")),
            ports=_ports(form.get("port")),
        )
        _check_together(rule)
        return rule

    def to_form(self) -> dict[str, str | int]:
        """What ``from_form`` reads."""
        words = {number: word for word, number in PROTOCOLS.items()}
        given = {
            "action": self.action,
            "direction": self.direction,
            "name": self.name,
            "zone": self.zone,
            "protocol": None if self.protocol is None else words.get(self.protocol, self.protocol),
            "port": None if self.ports is None else _ports_form(*self.ports),
        }
        return {key: value for key, value in given.items() if value is not None}

    def __str__(self) -> str:
        """``drop accept name *.alice protocol tcp port 22``."""
        form = self.to_form()
        rest = (f" {key} {form[key]}" for key in KEYS[2:] if key in form)
        return f"{self.action} {self.direction}{''.join(rest)}"

    def name_pattern(self) -> re.Pattern[str] | None:
        return None if self.name is None else re.compile(translate(self.name))


def _word(form: Mapping[str, object], key: str, words: tuple[str, ...]) -> str:
    value = form.get(key)
    if value not in words:
        raise RuleError(key, f"it must be {' or '.join(words)}" + ("" if key in form else ", and is missing"))
    return str(value)


def _name(value: object) -> str | None:
    if value is None:
        return None
    name = value.lower().removesuffix(".mesh") if isinstance(value, str) else ""
    if not re.fullmatch(_NAME, name):
        raise RuleError("name", "it must be a name, with * and ? for what may vary")
    return name


def _zone(value: object) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value <= _MOST):
        raise RuleError("zone", f"it must be a number from 0 to {_MOST}")
    return value


def _protocol(value: object) -> int | None:
    if isinstance(value, str) and value in PROTOCOLS:
        return PROTOCOLS[value]
    if value is not None and (type(value) is not int or not 0 <= value <= 0xFF):
        raise RuleError("protocol", f"it must be {', '.join(PROTOCOLS)}, or a number from 0 to 255")
    return value


def _ports(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    texts = str(value).split("-") if isinstance(value, str) else [str(value)] if type(value) is int else []
    numbers = [int(text) for text in texts if re.fullmatch(_PORT, text)]
    ordered = len(texts) == len(numbers) in (1, 2) and 1 <= numbers[0] <= numbers[-1] <= _MOST
    if not ordered:
        raise RuleError("port", 'it must be a port from 1 to 65535, or a range like "8000-8099"')
    return numbers[0], numbers[-1]


def _ports_form(first: int, last: int) -> str | int:
    return first if first == last else f"{first}-{last}"


def _check_together(rule: Rule) -> None:
    if rule.direction == FORWARD and rule.protocol is not None:
        raise RuleError("protocol", "what is forwarded is sealed from end to end: such a rule would never match")
    if rule.ports is not None and rule.protocol not in _WITH_PORTS:
        raise RuleError("port", "ports go with protocol tcp or udp")
