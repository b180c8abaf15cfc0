"""The store that the configuration names: a folder or a URL, opened only when a task is cached."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.caching.configured import open_store, store_for
from turgo.config.load import Config, load_config
from turgo.errors import CacheError
from turgo.registry.source_files import load_source
from turgo.stores.file_store import FileStore
from turgo.stores.signatures import SignedStore
from turgo.stores.url_store import UrlStore

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor

KEY = "ab" * 20


@pytest.fixture
def config_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Config]:
    """The configuration that a project file with this text makes."""

    def load(text: str) -> Config:
        (tmp_path / "turgo.toml").write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return load_config()

    return load


def test_a_folder_is_meant_from_the_file_that_names_it(
    config_of: Callable[[str], Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the program is started."""
    config = config_of('[cache]\nurl = "kept"\nmax_bytes = 100_000\n')
    monkeypatch.chdir("/")
    store = open_store(config)
    assert isinstance(store, FileStore)
    assert (Path(store.where), store.max_bytes) == (tmp_path / "kept", 100_000)
    store.put({KEY: b"value"})
    assert store.get([KEY]) == {KEY: b"value"}


def test_a_file_url_is_a_folder(config_of: Callable[[str], Config], tmp_path: Path) -> None:
    """With what it escapes put back."""
    store = open_store(config_of(f'[cache]\nurl = "file://{tmp_path}/a%20b"\n'))
    assert isinstance(store, FileStore) and Path(store.where) == tmp_path / "a b"


def test_any_other_url_is_opened_by_fsspec(config_of: Callable[[str], Config]) -> None:
    """As one in memory; what others may write there has to be signed."""
    pytest.importorskip("fsspec")
    store = open_store(config_of('[cache]\nurl = "memory://kept"\n'))
    assert isinstance(store, SignedStore) and isinstance(store.store, UrlStore)


def test_a_folder_that_cannot_be_made_is_an_error_that_says_where_it_was_named(
    config_of: Callable[[str], Config], tmp_path: Path
) -> None:
    """The file and its line."""
    (tmp_path / "plain").write_text("a file")
    with pytest.raises(CacheError, match=r"cannot be made.*turgo\.toml"):
        open_store(config_of('[cache]\nurl = "plain/kept"\n'))


def test_no_store_is_opened_for_a_flow_without_cached_tasks(
    config_of: Callable[[str], Config], tmp_path: Path
) -> None:
    """Nothing is made on the disk."""
    config_of('[cache]\nurl = "kept"\n')
    flow(lambda: task(lambda: 1)()).run(executor=InlineExecutor())
    assert not (tmp_path / "kept").exists()
    flow(lambda: task(cache_key="inputs")(lambda: 1)()).run(executor=InlineExecutor())
    assert (tmp_path / "kept").exists()


def test_a_default_folder_that_cannot_be_made_is_a_warning(
    config_of: Callable[[str], Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As where there is no home: the run is not cached, and says so."""
    (tmp_path / "plain").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "plain"))
    monkeypatch.delenv("TURGO_CACHE__URL", raising=False)
    config = config_of("")
    assert config.cache_url.origin.kind == "default"
    with caplog.at_level(logging.WARNING, "turgo"):
        assert store_for(config) is None
    assert "this run is not cached" in caplog.text
