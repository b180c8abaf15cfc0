"""`python -m turgo` is `turgo`."""

import sys

from turgo.cli import main

if __name__ == "__main__":
    sys.exit(main())
