"""The engine runs a graph on an executor. It learns how large batches should be."""
