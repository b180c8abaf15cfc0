"""Traces of workflows: what ran, for how long, after what.

trace        the record: tasks in an order in which they can run, and what follows from it alone (work, critical path)
wfformat     reads and writes them as files of WfCommons' schema
families     makes small ones in the shapes of well-known workflows, reproducible by a seed
schedule     the time that a list schedule needs, computed
"""
