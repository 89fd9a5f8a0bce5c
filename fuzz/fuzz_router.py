"""Feed a whole router with what anybody may send it: a counter may move, nothing may raise.

    python fuzz/fuzz_router.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Two routers are brought together in virtual time, with a session between their ends. One of them is the fuzzer's puppet:
its keys seal, so what is made here gets behind the ciphers. The input is a list of actions (``tests/router/abuse``).
"""

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports(include=["meshrouter"]):
    from tests.router.abuse.actions import ACTIONS
    from tests.router.abuse.world import World

MOST_ACTIONS = 40


class Input:
    """Choices that the fuzzer makes; when its bytes are at an end, all are the least."""

    def __init__(self, raw: bytes) -> None:
        self._data = atheris.FuzzedDataProvider(raw)

    @property
    def left(self) -> int:
        return self._data.remaining_bytes()

    def integer(self, least: int, most: int) -> int:
        return self._data.ConsumeIntInRange(least, most)

    def octets(self, most: int) -> bytes:
        return self._data.ConsumeBytes(self._data.ConsumeIntInRange(0, most))


def one_input(raw: bytes) -> None:
    data = Input(raw)
    world = World(trains=bool(data.integer(0, 1)), shared=bool(data.integer(0, 1)), mtu=data.integer(400, 1500))
    for _ in range(MOST_ACTIONS):
        if not data.left:
            break
        ACTIONS[data.integer(0, len(ACTIONS) - 1)](world, data)
        world.move()
    world.run(1.0)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
