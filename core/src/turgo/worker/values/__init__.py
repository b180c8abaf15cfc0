"""Values and errors on their way to the driver, or kept on the worker."""
