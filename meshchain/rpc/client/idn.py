"""From what people type to a name on the ledger: ".mesh" cut off, IDNA applied, every refusal names its rule.

The ledger holds letters, digits and hyphens. Unicode becomes an ``xn--`` name by UTS 46 mapping and IDNA 2008
(RFC 5891 §4); that an ``xn--`` name decodes to valid Unicode is policy of wallets, not consensus. Look-alikes
only earn a warning: Unicode has too many honest words to forbid them here.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from meshchain.ledger.errors import RuleError
from meshchain.ledger.names import check_name
from meshchain.rpc.client.errors import WrongUse

SUFFIX: Final = ".mesh"
_PREFIX: Final = "xn--"
_LATIN_TWINS: Final = dict(
    zip(
        "асеорхуѕіјһԁԛԝвкмнтгαορνυικτχρεыьӏգհոսցօզ",
        "aceopxysijhdqwbkmhtraopvuiktxpebblqhnugoq",
        strict=True,
    )
)
"""Cyrillic, Greek and Armenian small letters that most fonts draw like a Latin one."""


@dataclass(frozen=True, slots=True)
class Name:
    """``ledger``: as operations carry it; ``warnings``: what a reader might mistake it for."""

    ledger: str
    warnings: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return self.ledger + SUFFIX

    @property
    def unicode(self) -> str:
        """As its language writes it."""
        return _to_unicode(self.ledger)


def parse(text: str) -> Name:
    """Read NAME or NAME.mesh in any script; WrongUse whose code is the broken rule.

    Codes: name-length, name-alphabet, name-edge-hyphen, name-double-hyphen (the ledger's rules), name-dot,
    name-idna.
    """
    folded = _fold(text.strip())
    label = folded.removesuffix(".").removesuffix(SUFFIX)
    if "." in label:
        raise WrongUse(
            "name-dot",
            f"{text!r}: a name has one label before .mesh; what stands before it belongs into its record"
            " (meshwallet set NAME TYPE VALUE --label LABEL)",
        )
    name = label if label.isascii() else _to_ascii(label)
    _check_rules(name)
    return Name(name, tuple(_warnings(_to_unicode(name))))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    import idna

    try:
        return idna.uts46_remap(text, std3_rules=False)
    except idna.IDNAError as error:
        raise _bad_idna(text, error) from None


def _to_ascii(label: str) -> str:
    import idna

    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise _bad_idna(label, error) from None


def _to_unicode(name: str) -> str:
    if not name.startswith(_PREFIX):
        return name
    import idna

    try:
        return idna.ulabel(name)
    except (idna.IDNAError, UnicodeError) as error:
        raise _bad_idna(name, error) from None


def _bad_idna(text: str, error: Exception) -> WrongUse:
    return WrongUse("name-idna", f"{text!r} is no valid internationalised name (IDNA 2008): {error}")


def _check_rules(name: str) -> None:
    try:
        check_name(name)
    except RuleError as error:
        raise WrongUse(error.code, f"{name!r} cannot be a name: {error.message}") from None


def _warnings(shown: str) -> list[str]:
    if shown.isascii():
        return []
    found = []
    scripts = sorted({_script(c) for c in shown if c.isalpha()})
    if len(scripts) > 1 and not _common_mixture(set(scripts)):
        found.append(f"{shown!r} mixes scripts ({', '.join(scripts)}): readers may take it for another name")
    twin = "".join(_LATIN_TWINS.get(c, c) for c in shown)
    if twin != shown and twin.isascii():
        found.append(f"{shown!r} looks like {twin!r}, which is another name")
    return found


def _script(character: str) -> str:
    """The first word of the character's Unicode name, which is its script for letters (LATIN, CYRILLIC, …)."""
    return unicodedata.name(character, "UNKNOWN").split()[0]


def _common_mixture(scripts: set[str]) -> bool:
    """Scripts that one language writes together (UTS 39 §5.1, "augmented" sets for Japanese and Korean)."""
    return scripts <= {"CJK", "HIRAGANA", "KATAKANA"} or scripts <= {"CJK", "HANGUL"}
