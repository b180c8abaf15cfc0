"""A version of the contract that is not understood says which side to upgrade."""

from pathlib import Path

import pytest

from turgo import API_VERSION, get_executor
from turgo.contract.versions import remedy_for
from turgo.errors import ApiVersionError


@pytest.mark.parametrize(("version", "upgrade"), [(API_VERSION - 1, "mine"), (API_VERSION + 1, "turgo")])
def test_the_message_says_which_side_to_upgrade(version, upgrade, tmp_path: Path):
    """Too old: the executor's package; too new: turgo."""
    file = tmp_path / "late.py"
    file.write_text(
        "from turgo import Executor\n\n\nclass Late(Executor):\n"
        f"    api_version = {version}\n\n    def submit(self, fn, /, *args, **kwargs): ...\n"
    )
    with pytest.raises(ApiVersionError, match=f"version {version}.*understands {API_VERSION}") as caught:
        get_executor(f"{file}:Late")
    assert remedy_for(version, "mine") == upgrade
    assert ("upgrade turgo" in str(caught.value)) == (upgrade == "turgo")
