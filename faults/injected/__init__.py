"""The faults: of the driver, of workers, of calls, of what is around them."""
