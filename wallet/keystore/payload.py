"""What the wallet file holds: the seed words, which is enough, and notes that save looking everything up.

    words    the BIP39 sentence receive  how many receiving keys were given out (see derivation) names
    name → note: {"drafts": [hex, …]} are the operations this wallet signed and handed to a node's queue,
             oldest first, so that the next operation builds on them before they are confirmed

A note is written before its operation is handed over. Losing notes loses no name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.errors import WalletError
from wallet.keystore.envelope import damaged

MAX_DRAFTS: Final = 64
"""Per name; the oldest go first. A queue confirms them long before."""


@dataclass(slots=True)
class Note:
    drafts: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Payload:
    words: str
    receive: int = 0
    names: dict[str, Note] = field(default_factory=dict)

    def note(self, name: str) -> Note:
        return self.names.setdefault(name, Note())

    def encode(self) -> bytes:
        names = {name: {"drafts": [d.hex() for d in note.drafts[-MAX_DRAFTS:]]} for name, note in self.names.items()}
        return json.dumps({"words": self.words, "receive": self.receive, "names": names}, sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Payload":
        """WalletError (wallet-damaged) for anything that encode does not produce."""
        try:
            table = json.loads(data)
        except (ValueError, RecursionError):
            raise damaged("its content is not JSON") from None
        if not isinstance(table, dict) or table.keys() != {"words", "receive", "names"}:
            raise damaged("its content is not {words, receive, names}")
        if not isinstance(table["names"], dict):
            raise damaged("names is not an object")
        names = {name: _note(value) for name, value in table["names"].items()}
        return cls(_words(table["words"]), _count(table["receive"]), names)


def _words(value: object) -> str:
    from wallet import words

    if not isinstance(value, str):
        raise damaged("words is not text")
    try:
        return words.check(value)
    except WalletError as error:
        raise damaged(f"its seed words are no BIP39 sentence ({error.code})") from None


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise damaged("receive is not a count")
    return value


def _note(value: object) -> Note:
    drafts: Any = value.get("drafts") if isinstance(value, Mapping) else None
    if not isinstance(drafts, list) or not all(isinstance(draft, str) for draft in drafts):
        raise damaged("a name's note is not {drafts}")
    try:
        return Note([bytes.fromhex(draft) for draft in drafts])
    except ValueError:
        raise damaged("a draft is not hexadecimal") from None
