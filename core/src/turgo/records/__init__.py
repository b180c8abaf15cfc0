"""What is known of a run: states, task runs, their ledger in columns."""
