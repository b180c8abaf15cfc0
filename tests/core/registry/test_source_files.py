"""A Python file as a module: loaded once, pickled by value."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle

FILE = Path(__file__).with_name("own_executors.py").read_text()


def test_a_file_is_loaded_once_and_its_functions_travel_by_value(registry: Any, project: Path) -> None:
    (project / "mine.py").write_text(FILE)
    cls = registry().resolve("./mine.py:Mine").cls
    assert registry().resolve(f"{project}/mine.py:Mine").cls is cls
    carried = cloudpickle.dumps(sys.modules[cls.__module__].double)
    program = f"import pickle; assert pickle.loads({carried!r})(2) == 4"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert pickle.loads(pickle.dumps(cls(size=2))).size == 2
