"""An interrupt that a call cannot absorb. It is for executors that run calls in threads.

with Interrupt(None) as interrupt:     in the thread, around its calls
    ...
raise_in(thread, interrupt.kind)       from another thread; again, while it has not ended
"""

from __future__ import annotations

from turgo.worker.call import raise_in as raise_in
from turgo.worker.limits.interrupt import Interrupt as Interrupt
