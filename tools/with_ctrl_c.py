"""Run a command to which Ctrl-C means what it means in a terminal: `python with_ctrl_c.py COMMAND…`.

A shell that starts a command in the background lets it ignore SIGINT, and all that it starts ignores it as well.
Tests press Ctrl-C, so `make test &` would wait for what never comes.
"""

import os
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
