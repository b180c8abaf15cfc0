"""The code of the worker and of flows, where it is not installed."""
