"""From a name, a class path or a file to an executor."""
