"""What the base class of executors does for their authors."""
