"""The catalogue of known executors."""

from turgo.registry.catalogue import known_executors


def test_the_catalogue_is_complete_and_normalised() -> None:
    known = known_executors()
    assert {"local", "local_dask", "dask"} <= set(known)
    for name, entry in known.items():
        assert entry.name == name
        assert entry.package
        assert entry.summary
