"""Imported by nobody until a task runs."""

VALUE = 7
