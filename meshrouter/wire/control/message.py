"""What every message has that is known by a type byte."""

from typing import ClassVar, Protocol, Self


class Message(Protocol):
    """``encode`` and ``decode`` are of the body, without type and length. Sizes in range are the caller's affair."""

    TYPE: ClassVar[int]

    def encode(self) -> bytes: ...

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """WireError for whatever is not its format."""
        ...
