"""What the options of tasks and flows mean: retries, triggers, bounds."""
