"""The file of a flow: what it holds, and that nothing runs while it is loaded."""
