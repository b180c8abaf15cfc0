"""Observers: plugins that hear of a run. These are like anyone's; nothing in the engine knows of them.

    progress    a live table on a terminal, made with rich
    lines       the same in a few plain lines, for a pipe or a log file
    summary     what became of the run, once it is over
    loading     observers that other distributions bring, from the entry-point group `penstock.observers`

An observer implements any of three hooks (`penstock.hooks`), all called in the thread that runs the flow::

    from penstock.hooks import hookimpl

    class Bell:
        @hookimpl
        def penstock_flow_finished(self, run):
            print("\\a", end="")
"""
