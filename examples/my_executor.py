"""A whole executor in one file.

turgo run examples/census.py --executor ./examples/my_executor.py:MyExecutor -o workers=8
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from turgo import Executor


class MyExecutor(Executor):
    """Run calls on a pool of threads.

    workers: how many of them, so how many calls run at once.
    """

    capabilities = frozenset({"parallel"})

    def __init__(self, *, workers: int = 4):
        self.workers = workers

    @property
    def slots(self):
        return self.workers

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        try:
            yield self
        finally:
            self._pool.shutdown(cancel_futures=True)  # calls that wait never begin

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return self._pool.submit(fn, *args, **kwargs)
