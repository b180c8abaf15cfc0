"""The functions of tasks, as this process calls them and others receive them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from turgo.engine.transport.flow_code import FlowCode
from turgo.errors import ValueNotPortableError
from turgo.flows.graph import Node
from turgo.flows.task import AnyTask
from turgo.worker.call import Call, prepare
from turgo.worker.code.bootstrap import WorkerCode
from turgo.worker.output.levels import local_levels

if TYPE_CHECKING:
    from turgo.engine.transport.pickler import CodePickler


class _Prepared(dict[AnyTask, Call]):
    """Prepares a function when it is first asked for; after that it is one look-up."""

    def __missing__(self, task: AnyTask) -> Call:
        call = self[task] = prepare(*_prepared(task))
        return call


def _prepared(task: AnyTask) -> tuple[Call, float | None, bool]:
    """What `prepare` needs."""
    return task.body, task.policy.timeout, task.policy.log_prints


class Calls:
    """The functions of the tasks of one run: `here`, as they are called in this process, and pickled once.

    run: its id and the name of its flow. sent_bytes, received_bytes: in batches that left this process, and in reports.
    """

    def __init__(self, run: tuple[str, str] = ("", ""), nodes: Iterable[Node] = ()) -> None:
        self.run = run
        self.here = _Prepared()
        self.sent_bytes = 0
        self.received_bytes = 0
        self._nodes = nodes
        self._blobs: dict[tuple[AnyTask, bool], bytes] = {}
        self._picklers: dict[bool, CodePickler] = {}
        self._levels: dict[str, int] | None = None

    @property
    def levels(self) -> dict[str, int]:
        """The levels of this process's loggers when a batch first left it."""
        if self._levels is None:
            self._levels = local_levels()
        return self._levels

    def dumps(self, value: Any, worker_code: WorkerCode | None, buffers: list[Any] | None = None) -> bytes:
        """A pickle, its large buffers beside it in `buffers`; a worker_code if turgo may not be where it goes."""
        return self._pickler(worker_code).dumps(value, buffers)

    def _pickler(self, worker_code: WorkerCode | None, task: AnyTask | None = None) -> CodePickler:
        # Late: loads cloudpickle, which calls within this process need not.
        from turgo.engine.transport.pickler import CodePickler

        bare = worker_code is not None
        if bare not in self._picklers:
            tasks = {node.task for node in self._nodes} or ({task} if task is not None else set())
            self._picklers[bare] = CodePickler(worker_code, FlowCode(tasks), self.run[0])
        return self._picklers[bare]

    def blob(self, task: AnyTask, worker_code: WorkerCode | None = None) -> bytes:
        """The function as bytes for `batch.load_call`. Raises ValueNotPortableError if it cannot be pickled."""
        key = task, worker_code is not None
        if key not in self._blobs:
            try:
                self._blobs[key] = self._pickler(worker_code, task).dumps(_prepared(task))
            except Exception as error:
                raise ValueNotPortableError(self._unportable(task, worker_code, error)) from error
        return self._blobs[key]

    def _unportable(self, task: AnyTask, worker_code: WorkerCode | None, error: Exception) -> str:
        """Which global of which function keeps a task from being pickled, if one does."""
        from turgo.engine.transport.unpicklable import globals_of  # late: it looks for what is at fault

        pickler = self._pickler(worker_code, task)
        for function, name, value in globals_of(task.fn, pickler.own.modules):
            try:
                pickler.dumps(value)
            except Exception as own:  # noqa: BLE001  (user data, whose pickling may raise anything)
                where = task.name if function == task.fn.__name__ else f"{function}, which {task.name} uses,"
                return f"global {name} (a {type(value).__name__}) of {where} cannot be pickled: {own}"
        return f"the function of {task.name} cannot be sent: {error}"
