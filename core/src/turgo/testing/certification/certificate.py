"""The certificate records what the conformance suite proved of an executor. It can be shipped."""

from __future__ import annotations

import datetime
import json
import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from turgo._version import __version__
from turgo.errors import ApiVersionError, UsageError
from turgo.executor import CAPABILITIES, Executor
from turgo.names import reason_of
from turgo.redaction import redacted
from turgo.registry.resolve import Registry
from turgo.testing.certification.demands import Demands
from turgo.testing.specification import capability_checks, rules

USUAL = Demands()
"""What is asked of an executor for which nothing else is said."""

SAME = ("target", "version", "turgo", "api_version", "options", "asked")
"""What has to be the same, so that an earlier certificate holds for what passed then."""

SPOKEN = "test_api_version_is_spoken"
"""The check that an executor for another version of the contract fails."""

NOT_RUN = "not run"
"""How the reason begins why a check was skipped for lack of patience; it would be run another time."""


@attrs.frozen
class Outcome:
    """What came of one check. state: passed, failed or skipped; reason: why it did not pass."""

    state: str
    reason: str = ""


@attrs.frozen
class Claim:
    """One capability. claimed: whether it is declared; proven: whether all that proves it passed; because: why not."""

    claimed: bool
    proven: bool
    because: str = ""


@attrs.frozen
class Certificate:
    """What was proven of an executor, when, and of which version.

    distribution, version: where the executor came from, None if from no plugin; turgo: the version of turgo;
    options: as they were given, in text; asked: how much was asked of it, as `Demands` has it;
    proven: no check failed, and each capability that is claimed is proven;
    checks: how many passed, failed and were skipped; date: in UTC, as ISO 8601 has it; seconds: that it took.
    """

    executor: str
    target: str
    distribution: str | None
    version: str | None
    turgo: str
    api_version: int
    python: str
    platform: str
    options: Mapping[str, str]
    asked: Mapping[str, Any]
    proven: bool
    capabilities: Mapping[str, Claim]
    checks: Mapping[str, int]
    failures: Mapping[str, str]
    skips: Mapping[str, str]
    date: str
    seconds: float

    def lines(self) -> Iterator[str]:
        """It for people."""
        for name, claim in self.capabilities.items():
            if claim.claimed:
                yield f"{name}: {'proven' if claim.proven else f'NOT PROVEN: {claim.because}'}"
        declined = [name for name, claim in self.capabilities.items() if not claim.claimed]
        if declined:
            yield f"not declared: {', '.join(declined)}"
        if words := Demands(**self.asked).words():
            yield f"asked: {words}"
        yield "the contract is kept" if self.proven else "the contract is NOT kept, or not proven"


def certify(
    name: str,
    options: Mapping[str, str],
    executor: Executor,
    outcomes: Mapping[str, Outcome],
    seconds: float,
    *,
    demands: Demands = USUAL,
) -> Certificate:
    """The certificate of an executor, from what came of the checks, by their names."""
    target = f"{type(executor).__module__}:{type(executor).__qualname__}"
    return _certificate(
        name, options, target, executor.api_version, executor.capabilities, outcomes, seconds, demands
    )


def of_foreign(
    name: str, options: Mapping[str, str], error: ApiVersionError, *, demands: Demands = USUAL
) -> Certificate:
    """The certificate of an executor for another version of the contract: one check failed, and no other could run."""
    outcomes = {SPOKEN: Outcome("failed", str(error))}
    return _certificate(name, options, error.target, error.api_version, frozenset(), outcomes, 0.0, demands)


def _certificate(
    name: str,
    options: Mapping[str, str],
    target: str,
    api_version: int,
    capabilities: frozenset[str],
    outcomes: Mapping[str, Outcome],
    seconds: float,
    demands: Demands,
) -> Certificate:
    distribution, version = _origin(target)
    claims = {capability: _claim(capability, capabilities, outcomes) for capability in CAPABILITIES}
    counts = Counter(outcome.state for outcome in outcomes.values())
    kept = counts["passed"] > 0 and not counts["failed"]
    return Certificate(
        executor=name,
        target=target,
        distribution=distribution,
        version=version,
        turgo=__version__,
        api_version=api_version,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        options={key: redacted(value, key) for key, value in options.items()},
        asked=attrs.asdict(demands, recurse=False),
        proven=kept and all(claim.proven for claim in claims.values() if claim.claimed),
        capabilities=claims,
        checks={state: counts[state] for state in ("passed", "failed", "skipped")},
        failures=_reasons(outcomes, "failed"),
        skips=_reasons(outcomes, "skipped"),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
    )


def write(certificate: Certificate, file: Path) -> None:
    """Write it as JSON."""
    record: dict[str, Any] = {"format": 1, **attrs.asdict(certificate)}
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def proven_before(file: Path, now: Certificate) -> dict[str, Outcome]:
    """What an earlier certificate says of the checks that need not run again: all that did not fail.

    Raises UsageError if it cannot be read, or is of something else than what is certified `now`.
    """
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        skips, failures = dict(record["skips"]), dict(record["failures"])
        same = {name: json.loads(json.dumps(getattr(now, name))) for name in SAME}
        other = [name for name, value in same.items() if record[name] != value]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} cannot be read as a certificate: {reason_of(error)}") from error
    if other:
        raise UsageError(f"{file} is of another {' and '.join(other)}, so all checks have to run")
    if record["checks"]["passed"] + len(skips) + len(failures) != len(rules()):
        raise UsageError(f"{file} is of a part of the suite, so all checks have to run")
    again = {*failures, *(check for check, reason in skips.items() if reason.startswith(NOT_RUN))}
    return {
        rule.check: Outcome("skipped", skips[rule.check]) if rule.check in skips else Outcome("passed")
        for rule in rules()
        if rule.check not in again
    }


def _claim(capability: str, capabilities: frozenset[str], outcomes: Mapping[str, Outcome]) -> Claim:
    claimed = capability in capabilities
    if not claimed:
        return Claim(claimed=False, proven=False)
    missing = Outcome("missing", "its check did not run")
    for check in capability_checks(capability):
        outcome = outcomes.get(check, missing)
        if outcome.state != "passed":
            return Claim(
                claimed=True, proven=False, because=_line(outcome.reason) or f"{check} {outcome.state}"
            )
    return Claim(claimed=True, proven=True)


def _reasons(outcomes: Mapping[str, Outcome], state: str) -> dict[str, str]:
    return {check: outcome.reason for check, outcome in outcomes.items() if outcome.state == state}


def _line(text: str) -> str:
    """The first line that says what was observed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("but:")), lines[0] if lines else "")


def _origin(target: str) -> tuple[str | None, str | None]:
    """The distribution that provides the class, and its version; None for one of no plugin."""
    for plugin in Registry().plugins():
        if plugin.spec is not None and plugin.spec.target.replace(":", ".") == target.replace(":", "."):
            return plugin.distribution, plugin.version
    return None, None
