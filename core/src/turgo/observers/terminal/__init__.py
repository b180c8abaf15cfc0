"""What is drawn on a terminal while a flow runs: bars, and lines above them."""
