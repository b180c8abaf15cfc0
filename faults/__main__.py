"""`make faults`: flows on every kind of executor, and something that goes wrong in each of them.

python -m faults                            the short form
python -m faults --runs 1000 --seed 0       seeds 0 to 999
python -m faults --seed 17                  the run of seed 17, once more
python -m faults --kind running --fault "worker killed" --runs 20
python -m faults --table results.jsonl      the tables of what was done before
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults.injected.catalogue import FAULTS
from faults.kinds import KINDS
from faults.run import Clusters, as_data, perform
from faults.table import by_fault, page, totals

SHORT_RUNS = 40


def main(arguments: Sequence[str]) -> int:
    """0 if all is as it should be, 1 if something was found."""
    options = _options(arguments)
    if options.table:
        results = [json.loads(line) for file in options.table for line in file.read_text().splitlines()]
    else:
        results = _campaign(options)
    print(totals(results))
    print()
    print(by_fault(results))
    if options.page:
        options.page.write_text(page(options.page.read_text(), results))
    return int(any(each["complaints"] for each in results))


def _campaign(options: argparse.Namespace) -> list[dict[str, Any]]:
    base = Path(tempfile.mkdtemp(prefix="turgo-faults-"))
    clusters, results = Clusters(base), []
    seeds = range(options.seed or 0, (options.seed or 0) + options.runs * options.step, options.step)
    try:
        for seed in seeds:
            folder = base / str(seed)
            result = as_data(
                perform(
                    seed, clusters, folder, kind=options.kind, fault=options.fault, patience=options.patience
                )
            )
            results.append(result)
            _tell(result, folder, options)
            if options.results:
                with options.results.open("a") as file:
                    file.write(json.dumps(result) + "\n")
            if not result["complaints"] and not options.keep:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        clusters.drop()
        if not any(base.iterdir()):
            base.rmdir()
    return results


def _tell(result: dict[str, Any], folder: Path, options: argparse.Namespace) -> None:
    """One line for a run, and more if something was found."""
    faults = " + ".join(result["faults"])
    line = f"{result['seed']:5} {result['kind']:10} {result['end']:12} {result['seconds']:6.1f} s  {faults}"
    print(line, flush=True)
    if not result["complaints"]:
        return
    for column, sentences in result["complaints"].items():
        for sentence in sentences[:5]:
            print(f"      {column}: {sentence}")
    for acted in result["acted"]:
        print(f"      {acted}")
    chosen = "".join(
        f" --{name} {json.dumps(value)}" for name in ("kind", "fault") if (value := getattr(options, name))
    )
    print(f"      {result['how']}, in {folder}; again: --seed {result['seed']}{chosen}", flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("make faults", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, help="how many; 1 if a seed is given, else the short form")
    parser.add_argument("--seed", type=int, help="of the first run")
    parser.add_argument("--step", type=int, default=1, help="from one seed to the next")
    parser.add_argument("--kind", choices=list(KINDS), help="of executor, for all runs")
    parser.add_argument("--fault", choices=list(FAULTS), help="the one to have in all runs")
    parser.add_argument("--patience", type=float, default=1.0, help="a factor for all limits of time")
    parser.add_argument("--results", type=Path, help="a file that gets a line of JSON for each run")
    parser.add_argument(
        "--keep", action="store_true", help="keep the folders of runs that are as they should be"
    )
    parser.add_argument("--table", type=Path, nargs="+", help="such files: print the tables, and run nothing")
    parser.add_argument("--page", type=Path, help="a page that gets the tables")
    options = parser.parse_args(arguments)
    if options.runs is None:
        options.runs = SHORT_RUNS if options.seed is None else 1
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
