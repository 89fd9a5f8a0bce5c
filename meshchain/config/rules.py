"""The file's ``[[rule]]`` tables. Each problem names the rule, the key and, where the text shows it, the line."""

import re
from collections.abc import Sequence
from typing import Final

from meshrouter.policy.rule import Rule, RuleError

KEY: Final = "rule"
MOST: Final = 256
"""A packet that no rule has judged yet is held against each."""
_HEADER: Final = re.compile(r"""\s*\[\[\s*("rule"|'rule'|rule)\s*\]\]""")


class RuleReader:
    """Reads the value of ``rule``; ``lines`` is the file's text, ``path`` how messages name it."""

    def __init__(self, path: object, lines: Sequence[str]) -> None:
        self.rules: list[Rule] = []
        self.problems: list[str] = []
        self._path = path
        self._lines = lines

    def read(self, value: object) -> None:
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            self.problems.append(f"{self._path}: {KEY}: rules are tables, each under a line [[rule]]")
            return
        if len(value) > MOST:
            self.problems.append(f"{self._path}: {KEY}: {len(value)} rules, at most {MOST} are taken")
            return
        for number, table in enumerate(value):
            try:
                self.rules.append(Rule.from_form(table))
            except RuleError as error:
                where = self._where(number, len(value), error.key)
                self.problems.append(f"{where}: {KEY} {number + 1}: {error.key}: {error}")

    def _where(self, number: int, count: int, key: str) -> str:
        """The line of the key in its rule, else of the rule; without a line where the text is not plain."""
        headers = [line for line, text in enumerate(self._lines) if _HEADER.match(text)]
        if len(headers) != count:
            return str(self._path)
        start = headers[number]
        sets_key = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
        for line in range(start + 1, len(self._lines)):
            if self._lines[line].lstrip().startswith("["):
                break
            if sets_key.match(self._lines[line]):
                return f"{self._path}:{line + 1}"
        return f"{self._path}:{start + 1}"
