"""Objects of which a process has one."""

import threading

from turgo.worker.once import OfThisProcess


def test_all_threads_that_ask_first_at_once_get_the_same():
    """Also where each of them has made one by then; who forgets it gets another."""
    made_by_all = threading.Barrier(4)

    @OfThisProcess
    def only():
        made_by_all.wait(timeout=60)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(only())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len({id(each) for each in found}) == 1 and only() is found[0]
    made_by_all = threading.Barrier(1)
    only.forget()
    assert only() is not found[0]
