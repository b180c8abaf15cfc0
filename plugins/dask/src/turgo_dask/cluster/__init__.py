"""The cluster: found by its class, started, closed."""
