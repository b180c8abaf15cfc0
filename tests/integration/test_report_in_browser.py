"""The report of a run in a browser: hover, clicks, no word in the console, no request.

Chromium and its driver are Debian's, `sh tools/browser_packages.sh` installs them; where they are missing the tests
skip, in CI they fail.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from turgo import flow, task

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytest.importorskip("bokeh", reason="bokeh is not installed")

WAIT_SECONDS = 60

EVIL = "</script><script>document.title = 'hacked'</script>"


@task(retries=1)
def press(grapes: str) -> str:
    if grapes == EVIL:
        raise ValueError(grapes)
    return grapes


@task
def stomp(grapes: str) -> str:
    time.sleep(0.5)  # so that its bar is some pixels wide, also where the machine is busy beside it
    return grapes


@task
def bottle(juices: Any) -> int:
    return len(juices)


@flow
def old_cellar() -> Any:
    return stomp.map(["grape 0"])


@flow
def cellar(count: int = 40, sour: bool = False) -> Any:
    return bottle(press.map([f"grape {number}" for number in range(count)] + [EVIL] * sour))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium without a window, and without a network."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing = "Chromium or its driver is missing: sh tools/browser_packages.sh installs them"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for each in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1300,2000"):
        options.add_argument(each)
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield started
    finally:
        started.quit()


def until(browser: Any, expression: str) -> Any:
    """What a JavaScript expression is, once that is something."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, WAIT_SECONDS).until(
        lambda each: each.execute_script(f"return {expression}")
    )


def look(browser: Any, path: Path) -> None:
    """Open a report, and wait until it is drawn."""
    browser.get(path.as_uri())
    until(browser, "window.Bokeh && Bokeh.documents.length && Bokeh.documents.every((each) => each.is_idle)")


# Where the first bar of a task is, in pixels of the page.
PLACE_OF_A_BAR = """(() => {
    const view = [...Bokeh.index].find((each) => each.model.name === "timeline");
    const glyph = [...view.renderer_views.values()].find((each) => each.glyph && each.glyph.model.type === "HBar");
    const data = glyph.model.data_source.data, frame = view.frame;
    const box = view.el.getBoundingClientRect();
    const x = frame.x_scale.compute((data.left[0] + data.right[0]) / 2), y = frame.y_scale.compute(data.lane[0]);
    return [box.x + x, box.y + y];
})()"""


# The texts of all tooltips, which bokeh keeps in shadow roots.
TOOLTIPS = """[...document.querySelectorAll("*")].flatMap(function of(each) {
    return [each, ...(each.shadowRoot ? [...each.shadowRoot.querySelectorAll("*")].flatMap(of) : [])];
}).filter((each) => each.matches("[class*=ooltip]")).map((each) => (each.shadowRoot || each).textContent).join(" ")"""


def move_to_a_bar(browser: Any, *, click: bool, until_shown: str) -> None:
    """Bring the pointer to the first bar of the timeline, again if the page was still being laid out."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.support.ui import WebDriverWait

    def moved(_: Any) -> bool:
        browser.execute_script("document.getElementById('clicked').scrollIntoView({block: 'end'})")
        x, y = browser.execute_script(f"return {PLACE_OF_A_BAR}")
        actions = ActionBuilder(browser)
        actions.pointer_action.move_to_location(round(x) + 3, round(y) + 3)
        actions.pointer_action.move_to_location(round(x), round(y))
        if click:
            actions.pointer_action.click()
        actions.perform()
        return "stomp[0]" in browser.execute_script(f"return {until_shown}")

    WebDriverWait(browser, WAIT_SECONDS).until(moved)


def complaints(browser: Any) -> list[Any]:
    """What the console has that is no information."""
    return [line for line in browser.get_log("browser") if line["level"] not in ("INFO", "DEBUG")]


def test_bars_tell_what_they_are(browser: Any, tmp_path: Path) -> None:
    """A pointer over one shows task, input, duration and attempt; a click writes it below."""
    look(browser, old_cellar.run(executor="local").report(tmp_path / "run.html"))
    move_to_a_bar(browser, click=False, until_shown=TOOLTIPS)
    tooltip = browser.execute_script(f"return {TOOLTIPS}")
    assert "stomp[0] (grapes='grape 0')" in tooltip and "attempt" in tooltip and "took" in tooltip
    move_to_a_bar(browser, click=True, until_shown="document.getElementById('clicked').textContent")
    clicked = browser.find_element("id", "clicked").text
    assert clicked.startswith("stomp[0] (grapes='grape 0'): ") and clicked.endswith("attempt 1")
    assert complaints(browser) == []


def test_a_failed_run_is_shown_and_runs_no_code_of_its_values(browser: Any, tmp_path: Path) -> None:
    """What a value says is text, in the timeline too; failures open with a click."""
    from selenium.webdriver.common.by import By

    look(browser, cellar.run(executor="local", sour=True).report(tmp_path / "run.html"))
    assert browser.title == "cellar: Failed"
    details = browser.find_element(By.TAG_NAME, "details")
    assert "press[40]" in details.text and "ValueError: </script><script>" in details.text
    details.find_element(By.TAG_NAME, "summary").click()
    until(browser, "!document.querySelector('details').open")
    assert complaints(browser) == [] and browser.title == "cellar: Failed"


def test_ten_thousand_task_runs_are_drawn(browser: Any, tmp_path: Path) -> None:
    """Each as a bar; of more, those of a moment are one, which is said."""
    look(browser, cellar.run(executor="local", count=9_999).report(tmp_path / "run.html"))
    assert "are drawn as" not in browser.find_element("tag name", "body").text
    look(browser, cellar.run(executor="local", count=20_000).report(tmp_path / "run.html"))
    assert "20,001 calls are drawn as" in browser.find_element("tag name", "body").text
    assert complaints(browser) == []
