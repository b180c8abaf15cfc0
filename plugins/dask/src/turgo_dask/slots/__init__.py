"""Slots that the driver holds for a moment, and hands calls to without the scheduler."""
