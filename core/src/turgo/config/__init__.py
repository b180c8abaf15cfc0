"""Configuration: files, variables and options, layered, with where each value comes from."""
