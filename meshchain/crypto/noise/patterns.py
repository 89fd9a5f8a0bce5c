"""The three handshake patterns in use (Noise specification, revision 34, §7.5).

In a token of two letters the first names the initiator's key and the second the responder's: ``es`` is the key
agreement of the initiator's ephemeral with the responder's static key.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Token: TypeAlias = Literal["e", "s", "ee", "es", "se", "ss"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """``messages[0]`` is the initiator's; then they take turns."""

    name: str
    messages: tuple[tuple[Token, ...], ...]
    responder_known: bool
    """The initiator has the responder's static key beforehand (the pre-message ``<- s``)."""

    @property
    def protocol(self) -> str:
        return f"Noise_{self.name}_25519_ChaChaPoly_BLAKE2s"


XX: Final = Pattern("XX", (("e",), ("e", "ee", "s", "es"), ("s", "se")), responder_known=False)
"""Neither side knows the other; each gives its static key, sealed."""
XK: Final = Pattern("XK", (("e", "es"), ("e", "ee"), ("s", "se")), responder_known=True)
"""The responder is known; the initiator's key is for its eyes only, and forward secret."""
IK: Final = Pattern("IK", (("e", "es", "s", "ss"), ("e", "ee", "se")), responder_known=True)
"""The responder is known; one round trip. The first message can be replayed, and opened by whoever later steals
the responder's key."""
