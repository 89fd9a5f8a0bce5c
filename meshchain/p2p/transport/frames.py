"""Frames: a big-endian u16, and as many bytes of Noise message."""

from typing import Final

from meshchain.crypto.noise import MAX_NOISE_MESSAGE, TAG_SIZE, CipherState
from meshchain.p2p.transport.errors import TransportError

LENGTH_SIZE: Final = 2
MIN_SEALED: Final = TAG_SIZE + 1
"""A frame that carries nothing is refused: it costs its receiver more than its sender."""
MAX_SEALED: Final = MAX_NOISE_MESSAGE
MAX_PLAIN: Final = MAX_SEALED - TAG_SIZE
"""65,519 bytes."""
REKEY_FRAMES: Final = 1 << 16
REKEY_BYTES: Final = 1 << 30


def frame(content: bytes) -> bytes:
    return len(content).to_bytes(LENGTH_SIZE, "big") + content


class FrameSplitter:
    """Cuts a byte stream into frames; between calls it holds less than one."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, data: bytes) -> None:
        self._bytes += data

    def take(self, code: str, least: int, most: int) -> bytes | None:
        """The next frame's content, if it is complete.

        TransportError (``code``) if its announced length is not in least…most, before anything more is waited for.
        """
        if len(self._bytes) < LENGTH_SIZE:
            return None
        size = int.from_bytes(self._bytes[:LENGTH_SIZE], "big")
        if not least <= size <= most:
            raise TransportError(code, f"a frame of {size} bytes was announced where it has {least} to {most}")
        end = LENGTH_SIZE + size
        if len(self._bytes) < end:
            return None
        content = bytes(self._bytes[LENGTH_SIZE:end])
        del self._bytes[:end]
        return content


class FrameCipher:
    """One direction's cipher, with a new key after 2^16 frames or 2^30 bytes of them (tags included).

    Both sides count, so nothing is said on the wire. A key that has been replaced is gone: who steals the later one
    cannot open what was recorded under it.
    """

    def __init__(self, cipher: CipherState, *, frames: int = REKEY_FRAMES, size: int = REKEY_BYTES) -> None:
        self._cipher = cipher
        self._limits = frames, size
        self._frames = self._size = 0

    def seal(self, plaintext: bytes) -> bytes:
        sealed = self._cipher.seal(plaintext)
        self._count(len(sealed))
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """NoiseError (noise-tag) for anything but the peer's next frame."""
        plaintext = self._cipher.open(sealed)
        self._count(len(sealed))
        return plaintext

    def _count(self, size: int) -> None:
        self._frames += 1
        self._size += size
        frames, most = self._limits
        if self._frames >= frames or self._size >= most:
            self._cipher.rekey()
            self._frames = self._size = 0
