"""Names that no executor has, and that people ask for nevertheless."""

import pytest

from turgo.errors import UnknownExecutorError
from turgo.registry import ways
from turgo.registry.asked import Asked, Name
from turgo.registry.ways import way_hint


def name(text):
    """The name as it is asked for."""
    found = Asked(text).target
    assert isinstance(found, Name)
    return found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("slurm", "dask_jobqueue.SLURMCluster"),
        ("K8s", "dask_kubernetes.operator.KubeCluster"),
        ("ssh", "distributed.SSHCluster"),
        ("mpi", "scheduler_file"),
        ("thread-pool", "scheduler=threads"),
        ("distributed", "--executor dask"),
    ],
)
def test_the_message_says_how_to_get_there(registry, asked, said):
    """Whatever is installed."""
    with pytest.raises(UnknownExecutorError) as caught:
        registry().resolve(asked)
    assert said in str(caught.value) and "did you mean" not in str(caught.value)


def test_only_what_is_absent_is_to_be_installed(monkeypatch):
    """Nothing is said of packages that are there."""
    monkeypatch.setattr(ways, "_is_absent", lambda package: package == "dask-mpi")
    assert way_hint(name("mpi")).endswith("-m pip install dask-mpi")
    monkeypatch.setattr(ways, "_is_absent", lambda package: False)
    assert "install" not in way_hint(name("mpi"))


def test_of_other_names_nothing_is_said(registry):
    """Nor of a name of a certain distribution."""
    assert way_hint(name("turbine")) == ""
    assert way_hint(name("turgo-mill/slurm")) == ""
