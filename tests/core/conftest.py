"""Throw-away distributions: real metadata and real modules in a folder of their own."""

import importlib
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from turgo.config.load import Config, load_config
from turgo.executor import Executor, ExecutorLike
from turgo.registry.precedence import Chosen, choose_executor
from turgo.registry.resolve import Registry

PLUGIN = """
from turgo.executor import ExecutorSpec
from turgo.hooks import hookimpl

@hookimpl
def turgo_executors():
    yield ExecutorSpec(name={name!r}, target="{package}.executor:{cls}", summary="turns", {more})
"""

EXECUTOR = '''
from concurrent.futures import Future
from pathlib import Path

from turgo.executor import Executor

class {cls}(Executor):
    """Turns.

    Options:
        blades: how many it has,
            all of one length
        speed: turns a second
    """
    capabilities = frozenset({capabilities})

    def __init__(self, blades: int = 3, *, speed: float | None = None, name: str = "", site: Path | None =
    None,
                 kwargs: dict[str, object] | None = None, debug: bool | None = None):
        if blades == 13:
            raise ValueError("thirteen blades bring bad luck")
        self.blades, self.speed, self.name, self.site = blades, speed, name, site
        self.kwargs, self.debug = kwargs, debug

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future
'''


class Site:
    """A folder where distributions are installed, like `site-packages`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        distribution: str,
        modules: Mapping[str, str],
        executors: Mapping[str, str],
        version: str = "1.0",
    ) -> None:
        """Lay out a distribution: modules by path, and entry points of the group `turgo.executors`."""
        for path, text in files_of(distribution, modules, executors, version).items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()

    def install_plugin(
        self,
        name: str,
        *,
        distribution: str = "",
        package: str = "",
        more: str = "",
        version: str = "1.0",
        capabilities: tuple[str, ...] = (),
    ) -> None:
        """A complete plugin: distribution `turgo-<name>`, package `turgo_<name>`, its own class."""
        distribution = distribution or f"turgo-{name}".replace("_", "-")
        package = package or distribution.replace("-", "_")
        modules = plugin_modules(name, package, more, capabilities)
        self.install(distribution, modules, {name: f"{package}.plugin"}, version)


def plugin_modules(
    name: str, package: str, more: str = "", capabilities: tuple[str, ...] = ()
) -> dict[str, str]:
    """The modules of a complete plugin."""
    cls = "".join(part.title() for part in name.replace("-", "_").split("_")) + "Executor"
    return {
        f"{package}/__init__.py": "",
        f"{package}/plugin.py": PLUGIN.format(name=name, package=package, cls=cls, more=more),
        f"{package}/executor.py": EXECUTOR.format(cls=cls, capabilities=capabilities),
    }


def files_of(
    distribution: str, modules: Mapping[str, str], executors: Mapping[str, str], version: str
) -> dict[str, str]:
    """Every file of an unpacked wheel."""
    info = f"{distribution.replace('-', '_')}-{version}.dist-info"
    lines = "\n".join(f"{name} = {value}" for name, value in executors.items())
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[turgo.executors]\n{lines}\n",
        **{path: textwrap.dedent(text) for path, text in modules.items()},
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    return {**files, f"{info}/RECORD": record}


def _pip_install(site: Site, wheels: Path, distribution: str, name: str, package: str) -> None:
    wheel = wheels / f"{distribution.replace('-', '_')}-1.0-py3-none-any.whl"
    files = files_of(distribution, plugin_modules(name, package), {name: f"{package}.plugin"}, "1.0")
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    arguments = ("install", "--quiet", "--no-index", "--no-deps", "--target", str(site.folder), str(wheel))
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True, timeout=60
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty site on `sys.path`; what is imported from it is forgotten after the test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def pip_install() -> Callable[..., None]:
    """Build a true wheel of a plugin and let pip install it into the site."""
    return _pip_install


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, and the current one."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def configure(project: Path) -> Callable[..., Config]:
    """Write `turgo.toml` and read the configuration, with variables given as keywords."""

    def write(text: str = "", **variables: str) -> Config:
        (project / "turgo.toml").write_text(textwrap.dedent(text), encoding="utf-8")
        return load_config(project, {"XDG_CONFIG_HOME": str(project / "nowhere"), **variables})

    return write


class AskedRegistry(Registry):
    """A registry with the functions of `turgo.registry.precedence` as methods."""

    def choose(self, **requests: Any) -> Chosen:
        """The executor that has precedence, from this registry."""
        return choose_executor(registry=self, **requests)

    def get_executor(self, asked: ExecutorLike | None = None, /, **options: Any) -> Executor:
        """What `turgo.get_executor` gives, from this registry."""
        return self.choose(argument=asked, argument_options=options).executor


@pytest.fixture
def registry(site: Site, configure: Callable[..., Config]) -> Callable[..., AskedRegistry]:
    """Make a registry that sees the site's distributions and no others, with a configuration."""
    return lambda text="", **variables: AskedRegistry(configure(text, **variables), [str(site.folder)])


@pytest.fixture
def inline_as_local(no_settings_of_the_user: Path) -> None:
    """`local` is an executor of the tests' own, by the user's file, so that core is tested without any plugin."""
    file = no_settings_of_the_user / "turgo" / "turgo.toml"
    file.parent.mkdir(exist_ok=True)
    inline = Path(__file__).with_name("inline_executor.py")
    file.write_text(f'[executors.local]\nuse = "{inline}:InlineExecutor"\n', encoding="utf-8")
