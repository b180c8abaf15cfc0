"""The identity of a call: its code, its version, its arguments and the files that they name."""

from pathlib import Path

import pytest

from turgo import task
from turgo.errors import TaskPolicyError, UnkeyedCallError
from turgo.identity.calls import CallIdentity
from turgo.identity.code import Code


def read(path, others=()):
    return path


def identity(policy, *args):
    """Of a call of `read` with this policy."""
    calls = CallIdentity(task(**policy)(read), Code())
    return calls.of(calls.bound(args, {}))


def test_a_path_counts_by_what_its_file_holds(tmp_path: Path) -> None:
    """Wherever it stands among the arguments; the same text in a str does not."""
    file = tmp_path / "data.csv"
    file.write_text("one")
    before = [identity({}, file), identity({}, 1, [{"deep": file}]), identity({}, str(file))]
    file.write_text("two")
    after = [identity({}, file), identity({}, 1, [{"deep": file}]), identity({}, str(file))]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, True]
    file.write_text("one")
    assert identity({}, file) == before[0]
    file.unlink()
    assert identity({}, file) not in (before[0], after[0])


def test_declared_files_count_as_texts_too(tmp_path: Path) -> None:
    """And lists and mappings of them; a declared argument that is no path is refused in words."""
    file = tmp_path / "data.csv"
    policy = {"files": ["path", "others"]}
    calls = [(str(file),), (None, [str(file)]), (None, {"a": (str(file),)})]
    file.write_text("one")
    before = [identity(policy, *call) for call in calls]
    file.write_text("two")
    assert not any(identity(policy, *call) == old for call, old in zip(calls, before, strict=True))
    with pytest.raises(UnkeyedCallError, match="'path' is declared as a file, but it is a int"):
        identity(policy, 3)


def test_the_version_counts() -> None:
    """Where there is one."""
    assert len({identity({}, 1), identity({"version": "2"}, 1), identity({"version": 2}, 1)}) == 3


def test_declared_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their values when the identity is made; one that is not set is another than an empty one."""
    policy = {"env": ["MODEL_HOME"]}
    monkeypatch.delenv("MODEL_HOME", raising=False)
    found = {identity(policy, 1)}
    for value in ("", "/models/1", "/models/2"):
        monkeypatch.setenv("MODEL_HOME", value)
        found.add(identity(policy, 1))
    assert len(found) == 4 and identity(policy, 1) in found and identity({}, 1) not in found


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"version": 1.5}, "version=1.5: give a text or a whole number"),
        ({"files": "path"}, "files='path': give a list of names of parameters"),
        ({"env": "HOME"}, "env='HOME': give a list of names of environment variables"),
        ({"env": ["A=1"]}, "give a list of names of environment variables"),
        ({"files": ["paht"]}, "has no parameter 'paht'; did you mean 'path'"),
    ],
)
def test_options_that_make_no_sense_are_refused(policy: dict[str, object], said: str) -> None:
    """When the task is made."""
    with pytest.raises(TaskPolicyError, match=said):
        task(**policy)(read)
