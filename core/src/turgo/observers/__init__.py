"""Observers: plugins that watch a run. These are like anyone's; the engine knows none of them.

    progress    a live table on a terminal, made with rich: bars
    notebook    the same below the cell of a notebook
    lines       the same in a few plain lines, for a pipe or a log file
    summary     what became of the run, once it is over
    display     which of these a run in code has; screen: the terminal, on which one draws at a time
    installed   observers that distributions register in the entry-point group `turgo.observers`
    dispatch    checks observers, and calls their hooks; start_watch: says how long the start of an executor takes
    tally       how far each task is; tables, tracebacks: text for people

An observer implements any of four hooks (`turgo.hooks`), called in the thread that runs the flow, save for
events while an executor starts::

    from turgo.hooks import hookimpl

    class Bell:
        @hookimpl
        def turgo_flow_finished(self, run):
            print("\\a", end="")
"""
