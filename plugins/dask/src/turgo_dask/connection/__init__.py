"""The client: it connects, compares versions, and leaves."""
