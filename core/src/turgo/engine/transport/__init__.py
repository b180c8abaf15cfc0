"""Pickles batches with the code that workers need, and unpickles their reports."""
