"""What shells complete, and how they ask."""
