"""Small traces in the shapes of workflows that WfCommons collects, reproducible by a seed.

montage        images projected, neighbours compared, one model, images corrected, one mosaic
epigenomics    lanes of chains that are split, run side by side, merged twice
blast          one split, many searches, two that gather
cycles         many pairs of simulations, each pair compared, three summaries
seismology     very many alike, of very uneven length, one that sifts
genome         chromosomes: many parts merged, then many analyses of the merged
chain          no workflow of theirs: a chain recorded last, beside wide work

The shapes are theirs, the numbers and the times are made up. `python -m benchmarks.traces.families FOLDER` writes them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.traces import wfformat
from benchmarks.traces.trace import Trace, TraceTask, ordered


class Draft:
    """The tasks of a trace that is being made. Each gets a time around the median of its kind, log-normally."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.tasks: list[TraceTask] = []
        # A text seeds by its hash of its own, the same in every process.
        self._random = random.Random(f"{name}-{seed}")

    def add(self, kind: str, median: float, parents: Sequence[str] = (), sigma: float = 0.2) -> str:
        """One more task. median: seconds; sigma: of the logarithm. Returns its name."""
        name = f"{kind}_ID{len(self.tasks) + 1:06d}"
        seconds = median * self._random.lognormvariate(0.0, sigma)
        self.tasks.append(TraceTask(name, kind, round(seconds, 4), tuple(parents)))
        return name

    def done(self) -> Trace:
        """The trace."""
        return ordered(self.name, self.tasks)


def montage(seed: int = 0, rows: int = 5, columns: int = 6) -> Trace:
    """Images on a grid, each compared with those beside, below and across."""
    draft = Draft("montage", seed)
    projected = {(row, column): draft.add("mProject", 12) for row in range(rows) for column in range(columns)}
    fits = [
        draft.add("mDiffFit", 1, [image, projected[row + down, column + right]], 0.4)
        for (row, column), image in projected.items()
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1))
        if (row + down, column + right) in projected
    ]
    model = draft.add("mBgModel", 20, [draft.add("mConcatFit", 4, fits)])
    corrected = [draft.add("mBackground", 2, [image, model]) for image in projected.values()]
    mosaic = draft.add("mAdd", 15, [draft.add("mImgtbl", 2, corrected), *corrected])
    draft.add("mViewer", 6, [mosaic])
    return draft.done()


def epigenomics(seed: int = 0, lanes: int = 4, parts: int = 8) -> Trace:
    """Lanes, each split in parts that go through four steps; the third takes nearly all the time."""
    draft = Draft("epigenomics", seed)
    merged = []
    for _ in range(lanes):
        split = draft.add("fastqSplit", 35)
        mapped = []
        for _ in range(parts):
            part = draft.add("filterContams", 3, [split], 0.4)
            part = draft.add("sol2sanger", 1, [part], 0.4)
            part = draft.add("fast2bfq", 2, [part], 0.4)
            mapped.append(draft.add("map", 200, [part], 0.6))
        merged.append(draft.add("mapMerge", 10, mapped))
    index = draft.add("chr21", 40, [draft.add("mapMerge", 40, merged)])
    draft.add("pileup", 55, [index])
    return draft.done()


def blast(seed: int = 0, searches: int = 100) -> Trace:
    """One split, and searches that two others gather."""
    draft = Draft("blast", seed)
    split = draft.add("split_fasta", 5)
    found = [draft.add("blastall", 110, [split], 0.15) for _ in range(searches)]
    draft.add("cat_blast", 2, found)
    draft.add("cat", 1, found)
    return draft.done()


def cycles(seed: int = 0, points: int = 30) -> Trace:
    """Points, each with a baseline on which two runs depend, and a comparison of the two."""
    draft = Draft("cycles", seed)
    outputs, comparisons = [], []
    for _ in range(points):
        baseline = draft.add("baseline_cycles", 6, (), 0.5)
        plain = draft.add("cycles", 8, [baseline], 0.5)
        increased = draft.add("fertilizer_increase_cycles", 8, [baseline], 0.5)
        outputs.append(plain)
        comparisons.append(draft.add("fertilizer_increase_output_parser", 0.5, [plain, increased]))
    summary = draft.add("cycles_output_summary", 4, outputs)
    draft.add("fertilizer_increase_output_summary", 4, comparisons)
    draft.add("cycles_plots", 25, [summary])
    return draft.done()


def seismology(seed: int = 0, pairs: int = 150) -> Trace:
    """Deconvolutions of pairs of stations, the longest of which takes many times the median; one that sifts."""
    draft = Draft("seismology", seed)
    draft.add("siftSTFByMisfit", 3, [draft.add("sG1IterDecon", 4, (), 1.2) for _ in range(pairs)])
    return draft.done()


def genome(seed: int = 0, chromosomes: int = 3, parts: int = 16, populations: int = 7) -> Trace:
    """For each chromosome parts that are merged, a sifting beside them, and two analyses for each population."""
    draft = Draft("1000genome", seed)
    for _ in range(chromosomes):
        merged = draft.add("individuals_merge", 25, [draft.add("individuals", 60) for _ in range(parts)])
        sifted = draft.add("sifting", 9)
        for _ in range(populations):
            draft.add("mutation_overlap", 30, [merged, sifted], 0.5)
            draft.add("frequency", 90, [merged, sifted], 0.5)
    return draft.done()


def chain(seed: int = 0, wide: int = 120, links: int = 20) -> Trace:
    """Wide work, and a chain as long as a third of it; the chain takes as long as all of it on four slots."""
    draft = Draft("chain", seed)
    ends = [draft.add("wide", 1, (), 0.0) for _ in range(wide)]
    link = draft.add("link", wide / 3 / links, (), 0.0)
    for _ in range(links - 1):
        link = draft.add("link", wide / 3 / links, [link], 0.0)
    draft.add("end", 0.01, [link, *ends], 0.0)
    return draft.done()


FAMILIES: Mapping[str, Callable[..., Trace]] = {
    "montage": montage,
    "epigenomics": epigenomics,
    "blast": blast,
    "cycles": cycles,
    "seismology": seismology,
    "1000genome": genome,
    "chain": chain,
}


def main(args: Sequence[str]) -> int:
    """Write each of them into the folder that is given. Returns the exit code."""
    if len(args) != 1:
        print("usage: python -m benchmarks.traces.families FOLDER", file=sys.stderr)
        return 2
    folder = Path(args[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, family in FAMILIES.items():
        wfformat.write(family(), folder / f"{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
