"""Renews distributed's offload thread, which reads large messages and pickles. A process that is forked has none.

gunicorn --preload, a prefork worker of celery, multiprocessing with `fork`: the pool of that thread is copied, and
thinks that its thread lives, so whatever is handed to it waits for ever.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distributed import utils


def renew_offload() -> None:
    """Give distributed a new pool if the threads of its own did not come along."""
    pool: Any = utils._offload_executor
    threads = list(pool._threads)
    if threads and not any(thread.is_alive() for thread in threads):
        utils._offload_executor = ThreadPoolExecutor(1, thread_name_prefix=pool._thread_name_prefix)
