"""`python -m turgo` is `turgo`."""

import sys

try:
    from turgo.cli import main
except KeyboardInterrupt:  # of the import itself; `main` says it of what it imports
    sys.stderr.write("interrupted\n")
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
