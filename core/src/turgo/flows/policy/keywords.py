"""The options of a task as keywords, which only a type checker reads: those of `Policy`, as they may be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from turgo.executor import ExecutorLike
from turgo.flows.policy.options import CacheKey, TriggerLike
from turgo.flows.policy.retries import Delay, RetryOn


class TaskKeywords(TypedDict, total=False):
    """What `task(…)` says of each."""

    label: str | None
    retries: int
    retry_delay: Delay
    retry_on: RetryOn
    timeout: float | None
    tags: Sequence[str]
    trigger: TriggerLike
    skip_on_upstream_skip: bool
    crash_retries: int
    batch: bool
    log_prints: bool
    nout: int | None
    cache_key: CacheKey | None
    cache_expires: float | None
    version: str | int | None
    files: Sequence[str]
    env: Sequence[str]
    journal: bool
    idempotent: bool
    executor: ExecutorLike | None
