"""How a run ended, and why, in words."""
