"""Tasks, flows and the graphs that they record."""
