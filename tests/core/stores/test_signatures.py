"""What lies where others may write counts if this user has signed it."""

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.errors import CacheError, StoreError
from turgo.stores.places import open_place
from turgo.stores.signatures import KEY_BYTES, KEY_FILE, SIGNATURE_BYTES, SignedStore, own_key

NAME, OTHER = "ab" * 20, "cd" * 20
TRUST = "[shelf] trust = true"


def test_what_was_signed_comes_back(tmp_path: Path) -> None:
    """With the signature in front of it, which is no part of it."""
    store = SignedStore(open_place(str(tmp_path)), b"k" * KEY_BYTES, trust=TRUST)
    store.put({NAME: b"one", OTHER: b""})
    assert store.get([NAME, OTHER, "ef" * 20]) == {NAME: b"one", OTHER: b""}
    assert store.usage() == (2, store.usage().size)
    store.delete([OTHER])
    assert store.clear() == 1 and store.get([NAME]) == {}


@pytest.mark.parametrize("fault", ["no signature", "another key", "another name", "changed", "cut short"])
def test_what_was_not_signed_so_is_not_there(fault: str, tmp_path: Path, caplog) -> None:
    """Told once, with what to say for whoever trusts all that can write there; who has said so gets it."""
    plain = open_place(str(tmp_path))
    store = SignedStore(plain, b"k" * KEY_BYTES, trust=TRUST)
    store.put({NAME: b"one"})
    content = plain.get([NAME])[NAME]
    if fault == "no signature":
        plain.put({NAME: bytes(SIGNATURE_BYTES) + b"one"})
    elif fault == "another key":
        SignedStore(plain, b"o" * KEY_BYTES, trust=TRUST).put({NAME: b"one"})
    elif fault == "another name":
        plain.put({OTHER: content})
    else:
        plain.put({NAME: content + b"!" if fault == "changed" else content[:20]})
    wanted = OTHER if fault == "another name" else NAME
    with caplog.at_level(logging.WARNING):
        assert store.get([wanted]) == {} and store.get([wanted]) == {}
    assert len(caplog.records) == 1 and TRUST in caplog.text
    trusting = SignedStore(plain, None, trust=TRUST)
    assert trusting.get([wanted]).keys() == {wanted}


def test_the_key_is_made_once_for_the_eyes_of_the_user(tmp_path: Path) -> None:
    """However many processes ask for it first."""
    folder = tmp_path / "state" / "turgo"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: own_key(folder), range(16)))
    assert len(keys) == 1 and len(keys.pop()) == KEY_BYTES
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_that_others_may_know_or_have_written_is_refused(tmp_path: Path) -> None:
    """As is one that was damaged, a link, and a folder that others may write to."""
    own_key(tmp_path)
    path = tmp_path / KEY_FILE
    path.chmod(0o644)
    with pytest.raises(StoreError, match="others may read"):
        own_key(tmp_path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(StoreError, match="damaged"):
        own_key(tmp_path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="no plain file"):
        own_key(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(StoreError, match="others may write"):
        own_key(tmp_path)


@task(cache_key="inputs")
def price(city: str) -> int:
    return len(city)


@flow
def prices(cities: tuple[str, ...] = ("Basel", "Chur")):
    return price.map(list(cities))


class Planted:
    """What runs as code when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.usefixtures("inline_as_local")
def test_a_cache_behind_a_url_that_others_write_to_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    """A value that was planted there with a true digest is made anew; who trusts all others would run it."""
    memory = pytest.importorskip("fsspec").filesystem("memory")
    memory.store.clear()
    monkeypatch.setenv("TURGO_CACHE__URL", "memory://team/prices")
    assert prices.run().result == [5, 4]
    assert prices.run().task_runs.counts().keys() == {"Cached"}

    from turgo.caching.entries import pack

    harm = tmp_path / "harm"
    for path in memory.find("/team/prices"):
        memory.pipe(path, bytes(SIGNATURE_BYTES) + pack(path.rpartition("/")[2], Planted(harm), 0.0))
    with caplog.at_level(logging.WARNING):
        assert prices.run().result == [5, 4]
    assert not harm.exists() and "[cache] trust = true" in caplog.text
    assert prices.run().task_runs.counts().keys() == {"Cached"}, "they were signed again"
    memory.store.clear()


@pytest.mark.usefixtures("inline_as_local")
def test_a_team_that_trusts_its_bucket_shares_values(
    no_settings_of_the_user: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever wrote them; and without a place for a key, trust is the way that is told."""
    memory = pytest.importorskip("fsspec").filesystem("memory")
    memory.store.clear()
    monkeypatch.setenv("TURGO_CACHE__URL", "memory://team/prices")
    assert prices.run().ok
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    monkeypatch.setenv("TURGO_CACHE__TRUST", "true")
    assert prices.run().task_runs.counts().keys() == {"Cached"}
    assert not (tmp_path / "another user").exists()
    monkeypatch.setenv("TURGO_CACHE__TRUST", "false")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(CacheError, match=r"cannot be signed.*\[cache\] trust = true"):
        prices.run()
    memory.store.clear()
