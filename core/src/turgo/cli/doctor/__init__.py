"""`turgo doctor`: looks over what a run depends on. Says of each thing that is wrong which line mends it.

command        what is asked, and in which order
findings       what was found, for people and machines
installation   Python, packages, plugins, observers
settings       files and variables of the configuration, and whose they are
workers        the executor is started, and its workers are compared with this process
worker_facts   what a worker says of itself: it is run there, and needs nothing but Python
speed          a round trip, calls and bytes in a second
flow           what a flow asks of workers, and whether it can be sent there
"""
