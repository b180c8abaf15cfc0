"""Opens the journal of a run that begins, or of one that goes on."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from turgo.config.load import Config
from turgo.errors import JournalError
from turgo.flows.flow import FlowDefinition
from turgo.identity.code import Code, label_of
from turgo.journal.archive import Archive
from turgo.journal.facts import KILLED, facts_of_run
from turgo.journal.folder import RunFolder, new_folder, root_in
from turgo.journal.limits import prune
from turgo.journal.runs import last_unfinished, run_named
from turgo.journal.shelf import place_in
from turgo.journal.writer import JournalWriter
from turgo.records.failure_facts import FailureFacts, facts_of
from turgo.records.flow_run import FlowRun
from turgo.redaction import redacted_repr
from turgo.worker.values.pickles import message_of

logger = logging.getLogger("turgo")

KEPT_FAILURES = 1000
"""How many failures of a run are written down."""

SHOWN_CHARACTERS = 200
"""How much of a parameter is written down."""


@attrs.define
class Session:
    """One driver's time with a run: its journal, open to be written, and what there is to be taken over.

    id: of the run, under which its journal lies. run_id: of this time with it. unsafe: whether calls that may not be
    made twice are made again.
    """

    id: str
    run_id: str
    writer: JournalWriter
    earlier: Archive | None = None
    unsafe: bool = False

    _columns: Callable[..., dict[str, bytes]] | None = None
    _rows: dict[Any, tuple[BaseException | None, FailureFacts]] = attrs.field(factory=dict)

    def watch(self, run: FlowRun, columns: Callable[..., dict[str, bytes]]) -> None:
        """Write now and then what became of the task runs of a run that begins. columns: packs that."""
        self._columns = columns
        self.writer.watch(lambda: (columns(over=False), self._failures(run)))

    def end(self, run: FlowRun | None = None) -> None:
        """Write how it ended, and close the journal; nothing if it is closed."""
        if self.writer.closed:
            return
        if run is None:
            self.writer.write_end({"state": KILLED}, [])
            return
        counts = {str(state): count for state, count in run.task_runs.counts().items()}
        facts = {"state": str(run.state), "duration": run.duration, "counts": counts}
        facts["error"] = "" if run.error is None else f"{type(run.error).__name__}: {message_of(run.error)}"
        self.writer.finish()
        columns = {} if self._columns is None else self._columns(over=True)
        self.writer.write_end(facts, self._failures(run), columns)

    def _failures(self, run: FlowRun) -> list[FailureFacts]:
        """The facts of the first failures; each is made once, as its traceback may have to be put into words."""
        rows = []
        for failed, _ in zip(run.task_runs.failures(), range(KEPT_FAILURES), strict=False):
            known = self._rows.get(failed.key)
            if known is None or known[0] is not failed.error:
                known = self._rows[failed.key] = (failed.error, facts_of(failed))
            rows.append(known[1])
        return rows


def new_session(
    config: Config, flow: FlowDefinition[..., Any], executor: str, parameters: Mapping[str, Any]
) -> Session | None:
    """The journal of a new run. None, with a line in the log, if it cannot be written and does not have to be.

    Old runs are pruned. Raises JournalError if the journal is required and cannot be written.
    """
    root, required = root_in(config), bool(config.journal["required"].value)
    run_id = f"{flow.name}-{os.urandom(6).hex()}"
    try:
        writer = _new_writer(root, run_id, config)
        prune(
            root,
            max_bytes=config.journal["max_bytes"].value,
            max_age_days=config.journal["max_age_days"].value,
        )
    except (OSError, JournalError) as error:
        if required:
            raise JournalError(
                f"the journal in {root} cannot be written ([journal] required): {error}"
            ) from error
        logger.warning("the journal in %s cannot be written: %s; this run goes on without it", root, error)
        return None
    shown = {name: redacted_repr(value, name, SHOWN_CHARACTERS) for name, value in parameters.items()}
    file = getattr(getattr(flow.fn, "__code__", None), "co_filename", "")
    given = {"file": file, "flow": flow.name, "target": label_of(flow.fn), "parameters": shown}
    digest = {"parameters_digest": parameters_digest(flow, parameters)}
    writer.put({**given, **digest, "executor": executor, "started": time.time(), "state": "Running"})
    return Session(run_id, run_id, writer)


def resumed_session(
    config: Config,
    flow: FlowDefinition[..., Any],
    executor: str,
    parameters: Mapping[str, Any],
    asked: str,
    *,
    unsafe: bool = False,
) -> Session:
    """The journal of a run that goes on: `asked`, or the last one of this flow and parameters that did not succeed.

    unsafe: as a Session has it. Raises JournalError if there is none, or if it cannot be used.
    """
    earlier = archive_of(config, flow, parameters, asked)
    writer = _writer(earlier.folder, config)
    run_id = f"{flow.name}-{os.urandom(6).hex()}"
    again = [*facts_of_run(earlier.folder).again, run_id]
    writer.put({"executor": executor, "started": time.time(), "state": "Running", "again": again})
    return Session(earlier.folder.id, run_id, writer, earlier, unsafe)


def archive_of(
    config: Config, flow: FlowDefinition[..., Any], parameters: Mapping[str, Any], asked: str
) -> Archive:
    """What there is to be taken over. Raises JournalError as `resumed_session` does."""
    root, target = root_in(config), label_of(flow.fn)
    if asked:
        found = run_named(root, asked)
        if found.target and found.target != target:
            raise JournalError(f"the run {found.id} is one of {found.target}, not of {target}")
    else:
        found = last_unfinished(root, target, parameters_digest(flow, parameters))
    if facts_of_run(found.folder).state == "Running":
        raise JournalError(f"the run {found.id} is being run by another driver: wait for its end")
    return Archive(found.folder)


def parameters_digest(flow: FlowDefinition[..., Any], parameters: Mapping[str, Any]) -> str:
    """The digest of a flow's parameters, defaults among them; of one that cannot be pickled, of how it looks."""
    bound = flow.signature.bind(**parameters)
    bound.apply_defaults()
    code = Code()
    found = []
    for name, value in bound.arguments.items():
        try:
            found.append((name, code.digest(str(value) if isinstance(value, Path) else value)))
        except Exception:  # noqa: BLE001  (user data, whose pickling may raise anything)
            found.append((name, f"{value!r}"))
    return code.digest(found)


def _new_writer(root: Path, run_id: str, config: Config) -> JournalWriter:
    """The writer of a new run, of which nothing is left if it cannot write."""
    folder = new_folder(root, run_id)
    try:
        return _writer(folder, config)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise


def _writer(folder: RunFolder, config: Config) -> JournalWriter:
    settings = config.journal
    most, required = settings["max_value_bytes"].value, bool(settings["required"].value)
    return JournalWriter(folder, most=most, required=required, place=place_in(config))
