"""What turgo costs, side by side with what else would run the same work. `python -m benchmarks --help` says how.

__main__     chooses the subjects, runs them, prints the table
rows         what is measured: a Row, and the Budget that it keeps or does not
timing       how: in turns, several rounds, the quickest of each
work         the functions, flows and graphs that are run
machine      what is measured on
table        how it is shown
traces       workflows that were run, for the subject `makespan`
imports, memory, local, local_dask, dask, ideal, large, slots, submission, makespan, metg
             the subjects; each has `rows(quick)`
"""
