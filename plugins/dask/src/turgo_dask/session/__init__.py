"""What is open while a `DaskExecutor` is started, from its start to its end."""
