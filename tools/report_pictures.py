"""Make the pictures of docs/pictures.md anew: `make pictures`. By hand, as they are of a run, and need a browser.

    a run of `harbour` ──> its report ──> Chromium without a window ──> docs/images/report-*.png
                      └──> its graph ───> Graphviz ──────────────────> docs/images/graph.svg

Chromium and its driver are Debian's: `sh tools/browser_packages.sh` installs them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MOST_BYTES = 150_000
COLOURS = 96
"""So few are enough for text and bars, and make a small file."""

WIDTH_PIXELS = 1100
WAIT_SECONDS = 60

DRAWN = "window.Bokeh && Bokeh.documents.length && Bokeh.documents.every((each) => each.is_idle)"

PLACE_OF_A_BAR = """return (() => {
    const view = [...Bokeh.index].find((each) => each.model.name === "timeline");
    const glyphs = [...view.renderer_views.values()].filter((each) => each.glyph && each.glyph.model.type === "HBar");
    const all = glyphs.map((each) => each.model.data_source.data);
    const data = all.find((each) => each.words[0].startsWith("measure")), box = view.el.getBoundingClientRect(), at = 3;
    const x = view.frame.x_scale.compute((data.left[at] + data.right[at]) / 2);
    return [box.x + x, box.y + view.frame.y_scale.compute(data.lane[at])];
})()"""


TOOLTIPS = """return [...document.querySelectorAll("*")].flatMap(function of(each) {
    return [each, ...(each.shadowRoot ? [...each.shadowRoot.querySelectorAll("*")].flatMap(of) : [])];
}).filter((each) => each.matches("[class*=ooltip]")).map((each) => (each.shadowRoot || each).textContent).join(" ")"""

FLOW = '''
import random
import time

from turgo import current, flow, task


@task
def stations(coast: str) -> list[str]:
    """The places of a coast at which the tide is measured."""
    time.sleep(0.2)
    return [f"{coast}-{number:02}" for number in range(24)]


@task(retries=1)
def measure(station: str) -> float:
    """The height of the water, for which a station takes its time; one of them is out of order."""
    chance = random.Random(station)
    time.sleep(chance.uniform(0.1, 0.5))
    if station.endswith("17"):
        current().logger.warning("no answer from %s, asking once more", station)
        raise ConnectionError(f"{station} does not answer")
    return chance.uniform(0, 8)


@task(trigger="all_finished")
def smooth(height: float) -> float:
    """The height without waves; 0 where nothing was measured."""
    time.sleep(0.15)
    return round(height, 1) if isinstance(height, float) else 0.0


@task
def highest(heights: list[float]) -> float:
    """The greatest of them."""
    time.sleep(0.3)
    return max(heights)


@flow
def harbour(coast: str = "north"):
    """The highest water of a coast."""
    measured = measure.map(stations(coast))
    return measured, highest(smooth.map(measured))
'''


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = found("chromium")
    for each in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(each)
    options.add_argument(f"--window-size={WIDTH_PIXELS},1400")
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(found("chromedriver")))
    try:
        yield started
    finally:
        started.quit()


def found(command: str) -> str:
    """The path of a command. Exits if there is none."""
    path = shutil.which(command)
    if path is None:
        sys.exit(f"there is no {command}: sh tools/browser_packages.sh installs it")
    return path


def top_of(driver: Any, selector: str) -> float:
    """How many pixels of the page lie above an element."""
    return float(driver.execute_script(f"return {selector}.getBoundingClientRect().top + window.scrollY"))


def keep(picture: Image.Image, name: str) -> None:
    """Write a picture, if it is small enough."""
    path = IMAGES / name
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        sys.exit(
            f"{path} has {path.stat().st_size:,} bytes, and {MOST_BYTES:,} are the most that it may have"
        )
    print(f"{path.relative_to(IMAGES.parents[1])}: {path.stat().st_size:,} bytes")


def photograph(driver: Any, report: Path) -> None:
    """The three parts of a report, with the pointer on a bar of the timeline."""
    driver.get(report.as_uri())
    WebDriverWait(driver, WAIT_SECONDS).until(lambda each: each.execute_script(f"return {DRAWN}"))
    driver.set_window_size(WIDTH_PIXELS, driver.execute_script("return document.body.scrollHeight") + 200)
    WebDriverWait(driver, WAIT_SECONDS).until(lambda each: each.execute_script(f"return {DRAWN}"))
    x, y = driver.execute_script(PLACE_OF_A_BAR)
    pointer = ActionChains(driver)
    pointer.w3c_actions.pointer_action.move_to_location(round(x) - 2, round(y))
    pointer.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    pointer.perform()
    WebDriverWait(driver, WAIT_SECONDS).until(lambda each: "began at" in each.execute_script(TOOLTIPS))
    headings = {
        each.text: top_of(driver, f"document.querySelectorAll('h2')[{number}]")
        for number, each in enumerate(driver.find_elements("tag name", "h2"))
    }
    end = driver.execute_script("return document.body.getBoundingClientRect().bottom + window.scrollY")
    whole = Image.open(BytesIO(driver.get_screenshot_as_png()))
    timeline, durations, failures = (headings[each] for each in ("Timeline", "Durations by task", "Failures"))
    for name, top, bottom in (
        ("report-summary.png", 0, timeline),
        ("report-timeline.png", timeline, durations),
        ("report-failures.png", failures, end),
    ):
        keep(whole.crop((0, round(top), WIDTH_PIXELS, min(round(bottom), whole.height))), name)


def ran(folder: Path) -> Path:
    """Run the flow as a user does, draw its graph, and give its report."""
    (folder / "harbour.py").write_text(FLOW.lstrip(), encoding="utf-8")
    environ = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    run = ["run", "harbour.py", "-e", "local_dask", "-o", "num_workers=4", "--report", "run.html"]
    for words in (run, ["graph", "--run", "harbour", "--output", str(IMAGES / "graph.svg")]):
        command = [sys.executable, "-m", "turgo", *words]
        status = subprocess.run(command, cwd=folder, env=environ, check=False).returncode
        if status != (words is run):  # the run fails, as one station does not answer
            sys.exit(f"{' '.join(words)}: exit code {status}")
    return folder / "run.html"


def main() -> None:
    """Make all of them."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        photograph(driver, ran(Path(folder)))


if __name__ == "__main__":
    main()
