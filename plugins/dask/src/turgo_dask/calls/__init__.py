"""One call: its arguments, its tags, its future, its cancellation."""
