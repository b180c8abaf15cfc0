"""What earlier runs kept: asked before a call is sent, and told of its value after."""
