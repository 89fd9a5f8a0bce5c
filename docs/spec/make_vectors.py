"""Write docs/spec/vectors/*.json anew: what a second implementation is checked against.

Nothing here depends on a clock or on chance: keys are hashes of fixed texts, searches begin at nonce 0, and
every run writes the same bytes. ``tests/spec`` compares the files with what this writes and with the code.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
VECTORS = HERE / "vectors"


def main() -> None:
    sys.path.insert(0, str(HERE.parents[1]))
    from docs.spec.making import files

    VECTORS.mkdir(exist_ok=True)
    for name, text in files.texts():
        (VECTORS / name).write_text(text, encoding="ascii")
        print(f"{name}: {len(text):,} bytes")


if __name__ == "__main__":
    main()
