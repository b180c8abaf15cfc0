"""Which calls are ready, and what follows from the outcome of one. Pure."""
