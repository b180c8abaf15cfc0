"""Says which version of the contract is understood. For any other it says what to upgrade.

The policy is in docs/api-versions.md. A step to another version has its shim here, and a test that runs an executor of
the version before.

    1   `submit(fn, /, *args, extra_context=None, **kwargs)`
"""

from __future__ import annotations

API_VERSION = 1
"""The version of the contract. It grows by methods that have a default; anything else makes it another."""


def remedy_for(api_version: int, distribution: str) -> str:
    """What to upgrade so that an executor of another version can be used."""
    return distribution if api_version < API_VERSION else "turgo"
