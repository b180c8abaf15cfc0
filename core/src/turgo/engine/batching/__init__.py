"""How many calls go into one submission, and which. Pure."""
