"""A score for each of many files, one of which is bad: what does one see of it?

    python examples/scores.py data              write 200 files into the folder `data`, one of them bad
    turgo run examples/scores.py                score those in `data`
    turgo run examples/scores.py --executor local_dask -o scheduler=processes
    turgo run examples/scores.py --executor dask -p folder=/srv/measured

The summary names the file that is bad, shows the line that failed on it and what the task logged, and ends with the
commands that make that call again here, and that finish the rest once the file was mended.
"""

from __future__ import annotations

from pathlib import Path

from turgo import current, flow, task

FILES = 200
BAD_FILE = 137


@task
def find(folder: str) -> list[str]:
    """The files of a folder, sorted."""
    return sorted(str(path) for path in Path(folder).glob("f*.txt"))


@task(retries=2)
def score(path: str) -> float:
    """The mean of the numbers in a file."""
    words = Path(path).read_text(encoding="utf-8").split()
    if len(words) != 10:
        current().logger.warning("%d numbers, which are usually 10", len(words))
    numbers = list(map(float, words))
    return sum(numbers) / len(numbers)


@task
def best(paths: list[str], scores: list[float]) -> str:
    """The file with the highest score, and that."""
    highest, path = max(zip(scores, paths, strict=True))
    return f"{Path(path).name} has {highest:.1f}"


@flow
def scores(folder: str = "data") -> str:
    """Score the files of a folder, and say which is the best."""
    paths = find(folder)
    return best(paths, score.map(paths))


def write_files(folder: Path) -> None:
    """Ten numbers in each of 200 files; one of these ends in the middle of a word."""
    folder.mkdir(exist_ok=True)
    for number in range(FILES):
        words = [str(number * place % 97) for place in range(10)]
        if number == BAD_FILE:
            words[7:] = ["1e"]
        folder.joinpath(f"f{number:03}.txt").write_text(" ".join(words), encoding="utf-8")


if __name__ == "__main__":
    import sys

    write_files(Path(sys.argv[1]))
