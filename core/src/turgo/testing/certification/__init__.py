"""The suite run for its own sake: what it asks of an executor, the run, the certificate of what it proved."""
