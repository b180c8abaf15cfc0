"""A campaign of faults: flows on every kind of executor, and something that goes wrong in each run; `make faults`."""
