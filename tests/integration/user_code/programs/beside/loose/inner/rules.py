"""In folders without `__init__.py`."""


def rule(n: int) -> str:
    return f"rule {n}"
