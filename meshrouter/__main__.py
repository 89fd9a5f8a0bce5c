"""``python -m meshrouter``."""

import sys

from meshrouter.process.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
