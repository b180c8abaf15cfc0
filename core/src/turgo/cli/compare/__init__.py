"""`turgo compare FILE --on local,dask`: one flow on several executors, measured side by side.

command      what is asked; runs the flow on each executor in turn
trial        one run, and what was measured of it
ideal        how quickly it could have been over on so many slots
memory       how much this process and those below it held at once
differences  where two results differ
comparison   the trials of each executor, beside those of the first
advice       one sentence on which to take, and why
"""
