"""All that runs on a worker. It needs the standard library alone."""
