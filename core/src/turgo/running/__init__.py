"""Runs that go on while somebody looks at them: what `flow.start(…)` gives."""
