"""What the command line does with its terminal: streams, output, logs, Ctrl-C."""
