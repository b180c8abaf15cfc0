"""Checks observe time, logs, leaks and errors in threads, beside values. A sentence reports what was observed."""
