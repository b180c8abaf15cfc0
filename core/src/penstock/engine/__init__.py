"""The engine: runs a graph on an executor, in batches whose size it learns."""
