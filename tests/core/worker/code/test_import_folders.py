"""Folders that a worker and the processes that it starts import from."""

import os
import subprocess
import sys
import zlib

from turgo.worker.code.import_folders import add_import_folder, write_source


def test_a_process_that_is_started_imports_a_file_that_is_not_here(names, tmp_path, monkeypatch):
    """Its source is written to a folder of this machine, which other processes find."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr("tempfile.tempdir", None)
    facts = {"__name__": "shipped_far", "__file__": "/no/such/folder/shipped_far.py"}
    write_source("shipped_far", facts, zlib.compress(b"ANSWER = 42\n"))
    program = "import shipped_far; print(shipped_far.ANSWER)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "42"


def test_a_folder_that_hides_the_standard_library_is_not_put_before_it(names, tmp_path, monkeypatch):
    """PYTHONPATH stands before it."""
    (tmp_path / "json.py").touch()
    monkeypatch.setenv("PYTHONPATH", "")
    add_import_folder(str(tmp_path))
    assert str(tmp_path) in sys.path and os.environ["PYTHONPATH"] == ""
