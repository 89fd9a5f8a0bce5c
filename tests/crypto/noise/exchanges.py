"""Two sides of a handshake with fixed keys."""

from random import Random
from typing import Final

from meshchain.crypto.noise import HandshakeState, Pattern, x25519_public

PROLOGUE: Final = b"a test"
INITIATOR: Final = bytes(range(32))
RESPONDER: Final = bytes(range(32, 64))


def initiator(pattern: Pattern, *, prologue: bytes = PROLOGUE, expects: bytes = RESPONDER) -> HandshakeState:
    """``expects``: private key of the responder it believes to talk to, where the pattern knows it."""
    return HandshakeState(
        pattern,
        initiator=True,
        prologue=prologue,
        static=INITIATOR,
        ephemeral=lambda: Random(1).randbytes(32),
        remote_static=x25519_public(expects) if pattern.responder_known else None,
    )


def responder(pattern: Pattern, *, prologue: bytes = PROLOGUE, ephemeral: int = 2) -> HandshakeState:
    return HandshakeState(
        pattern,
        initiator=False,
        prologue=prologue,
        static=RESPONDER,
        ephemeral=lambda: Random(ephemeral).randbytes(32),
    )


def payload(step: int) -> bytes:
    return f"payload {step}".encode()


def before_message(pattern: Pattern, step: int) -> tuple[bytes, HandshakeState]:
    """The message of ``step`` (from 0), and the side that is to read it."""
    writer, reader = initiator(pattern), responder(pattern)
    for earlier in range(step):
        reader.read_message(writer.write_message(payload(earlier)))
        writer, reader = reader, writer
    return writer.write_message(payload(step)), reader
