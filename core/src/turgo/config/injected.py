"""Variables that a platform sets for a service or container called turgo. None of them is ours.

Kubernetes sets `TURGO_SERVICE_HOST`, `TURGO_PORT=tcp://10.0.0.1:80`, `TURGO_PORT_80_TCP_ADDR` … in every pod for each
service of that name, or of one that begins with it; links of docker set `TURGO_PORT`, `TURGO_NAME`, `TURGO_ENV_…`.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache

logger = logging.getLogger("turgo")

_INJECTED = re.compile(
    r"TURGO(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?"
    r"|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?|NAME|ENV_\w+)"
)


def is_injected(name: str) -> bool:
    """Whether a platform sets a variable of that name. One with two underscores in a row is always ours."""
    return "__" not in name and _INJECTED.fullmatch(name) is not None


@lru_cache(maxsize=256)
def warn_of_injected(name: str) -> None:
    """Log once in a process that it is ignored."""
    logger.warning("the variable %s is ignored: a platform sets it for a service of that name", name)
