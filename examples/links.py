"""Check the links of a web site: many short waits for the network, so it gains from threads, not processes.

    python -m http.server --bind 127.0.0.1 8000 &
    turgo run examples/links.py -p site=http://127.0.0.1:8000/ --executor local_dask -o num_workers=16

Run as a script it needs no site: it serves a small one on the loopback interface, with links that are broken
and a page that answers only when it is asked again.

    python examples/links.py
    python examples/links.py local_dask
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

from turgo import flow, task, unmapped


class Links(HTMLParser):
    """Collects where the `<a href>` of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


@task(retries=2, retry_delay=0.05, timeout=10.0)
def find_links(page: str) -> list[str]:
    """Where the links of a page lead: absolute, without fragments, each once, sorted."""
    status, body = fetch(page)
    if status >= 400:
        raise FileNotFoundError(f"{page} answers {status}")
    links = Links()
    links.feed(body.decode(errors="replace"))
    return sorted({urldefrag(urljoin(page, link)).url for link in links.found})


@task(retries=2, retry_delay=0.05, timeout=10.0)
def check(link: str, site: str) -> tuple[str, int]:
    """The HTTP status of a link of the site; 0 for one that leads elsewhere and is not asked for."""
    if not link.startswith(site):
        return link, 0
    return link, fetch(link)[0]


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body. Not found is an answer; what may be better in a moment (5xx) is a ConnectionError."""
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        error.close()
        if error.code >= 500:
            raise ConnectionError(f"{url} answers {error.code}") from None
        return error.code, b""


@task
def report(site: str, checked: list[tuple[str, int]]) -> str:
    """How many links are good, and which are not, relative to the site."""
    broken = [(link.removeprefix(site), status) for link, status in checked if status >= 400]
    elsewhere = sum(status == 0 for _, status in checked)
    good = len(checked) - len(broken) - elsewhere
    lines = [f"{good} links are good, {len(broken)} broken, {elsewhere} lead elsewhere"]
    return "\n".join(lines + [f"{status}  {link}" for link, status in broken])


@flow
def links(site: str) -> str:
    """Check the links on the first page of `site`, a URL that ends in a slash."""
    return report(site, check.map(find_links(site), unmapped(site)))


class Site(BaseHTTPRequestHandler):
    """Forty pages, three links to nowhere, and one page that is busy when it is first asked for."""

    PAGES = frozenset(f"page-{number:02}.html" for number in range(40))
    BROKEN = frozenset({"gone-1.html", "gone-2.html", "gone-3.html"})
    asked: set[str]

    def do_GET(self) -> None:
        time.sleep(0.02)  # the way through the network
        page = self.path.removeprefix("/")
        if page == "page-07.html" and page not in self.asked:
            self.asked.add(page)
            self.send_error(503)
        elif page in self.PAGES:
            self.answer("<p>Nothing but text.</p>")
        elif not page:
            names = sorted(self.PAGES | self.BROKEN | {"http://example.invalid/"})
            self.answer("".join(f'<a href="{name}">{name}</a>\n' for name in names))
        else:
            self.send_error(404)

    def answer(self, body: str) -> None:
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@contextmanager
def served() -> Iterator[str]:
    """The small site on a free port of the loopback interface; gives its URL."""
    handler = type("OneSite", (Site,), {"asked": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    import sys

    with served() as url:
        run = links.run(site=url, executor=sys.argv[1] if len(sys.argv) > 1 else None)
    print(run.result)
