"""Ends calls whose time is up, and what they have started."""
