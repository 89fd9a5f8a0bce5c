"""Read meshd's TOML file. Each problem names the file and, where the text shows it, the line.

``tomllib`` does not tell lines of keys, so they are looked up in the text: a line that seems to set the key and
before which the text is complete TOML, hence no part of a string or an array of several lines.
"""

import re
import tomllib
from pathlib import Path
from typing import Final

from meshchain.config import rules
from meshchain.config.layers import Given
from meshchain.config.options import BY_NAME, Option
from meshrouter.policy.rule import Rule

MAX_SIZE: Final = 2**16
"""Bytes; the example with all its comments has a tenth of it."""
_MAX_CANDIDATES: Final = 32
"""Lines that are tried for one key, so that a file made to be slow is not."""


class TomlFile:
    """The options in one file; ``problems`` is empty if all of it is usable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.given: dict[str, Given] = {}
        self.rules: tuple[Rule, ...] = ()
        self.problems: list[str] = []
        self._lines: list[str] = []
        for key, value in self._parse().items():
            self._take(key, value)

    def _parse(self) -> dict[str, object]:
        try:
            with self.path.open("rb") as stream:
                raw = stream.read(MAX_SIZE + 1)
        except OSError as error:
            return self._refuse(f"{self.path}: {error.strerror}")
        except ValueError as error:  # a zero byte in the path
            return self._refuse(f"{self.path}: {error}")
        if len(raw) > MAX_SIZE:
            return self._refuse(f"{self.path}: larger than {MAX_SIZE} bytes")
        return self._parse_text(raw)

    def _parse_text(self, raw: bytes) -> dict[str, object]:
        try:
            text = raw.decode("utf-8")
            self._lines = text.split("\n")
            return tomllib.loads(text)
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            return self._refuse(f"{self.path}:{line}: not UTF-8")
        except tomllib.TOMLDecodeError as error:
            return self._refuse(self._syntax(str(error)))
        except (ValueError, RecursionError) as error:  # integers of thousands of digits; deep nesting
            return self._refuse(f"{self.path}: not usable: {error}")

    def _refuse(self, problem: str) -> dict[str, object]:
        self.problems.append(problem)
        return {}

    def _syntax(self, message: str) -> str:
        found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        if found is None:
            return f"{self.path}:{len(self._lines)}: {message.removesuffix(' (at end of document)')}"
        return f"{self.path}:{found[1]}:{found[2]}: {message[: found.start()]}"

    def _take(self, key: str, value: object) -> None:
        if key == rules.KEY:
            self._take_rules(value)
            return
        where = self._where(key)
        option = BY_NAME.get(key)
        if option is None:
            self.problems.append(f"{where}: unknown key{_nearest(key)}")
            return
        texts = _texts(option, value)
        if texts is None:
            self.problems.append(f"{where}: it must be {_wanted(option)}")
            return
        self.given[key] = Given(tuple(self._relative(option, text) for text in texts), where)

    def _take_rules(self, value: object) -> None:
        reader = rules.RuleReader(self.path, self._lines)
        reader.read(value)
        self.rules = tuple(reader.rules)
        self.problems += reader.problems

    def _relative(self, option: Option, text: str) -> str:
        if not text or "\0" in text or not option.path(text):
            return text
        return str(self.path.parent / (Path.home() / text[2:] if text.startswith("~/") else text))

    def _where(self, key: str) -> str:
        line = self._line_of(key)
        return f"{self.path}:{line}: {key}" if line else f"{self.path}: {key}"

    def _line_of(self, key: str) -> int | None:
        name = re.escape(key)
        sets_key = re.compile(rf"""\s*(\[+\s*)?("{name}"|'{name}'|{name})\s*[]=.]""")
        candidates = [n for n, line in enumerate(self._lines) if sets_key.match(line)]
        return next((n + 1 for n in candidates[:_MAX_CANDIDATES] if self._is_complete_before(n)), None)

    def _is_complete_before(self, line: int) -> bool:
        try:
            tomllib.loads("\n".join(self._lines[:line]))
        except ValueError:
            return False
        return True


def _texts(option: Option, value: object) -> list[str] | None:
    """The value as texts, as the command line would give them; None if it is of a wrong type."""
    if option.integer:
        return [str(value)] if type(value) is int else None
    if isinstance(value, str):
        return [value]
    if option.many and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None


def _wanted(option: Option) -> str:
    if option.many:
        return "an array of strings"
    return "an integer" if option.integer else "a string"


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, BY_NAME)
    return f"; did you mean {' or '.join(close)}?" if close else f" (known: {', '.join(BY_NAME)})"
