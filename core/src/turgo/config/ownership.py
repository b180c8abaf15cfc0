"""Whether what lies at a path is the user's own. What is not is neither unpickled nor run.

the folder     this user's, and nobody else may write to it
the way to it  no folder that everybody may write to, unless it keeps files to their owners as /tmp does
a file in it   this user's, a plain one and no link, which nobody else may write to
settings       may name code if they are this user's or root's, and nobody else may write to file or folder
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


TRUST_HINT = "If you trust it, say so by its path: TURGO_CONFIG=…"
"""What whoever wants the settings of somebody else's file may do."""


def foreign(what: str, folder: Path) -> str:
    """Why the pickles in a folder may be somebody else's, as a sentence; empty if they are not.

    what: the folder is, as in "the cache". Raises OSError if it cannot be looked at.
    """
    found = folder.stat()
    if found.st_uid != os.geteuid():
        return f"{what} {folder} belongs to another user (uid {found.st_uid}), whose pickles would run as code here"
    if found.st_mode & OTHERS_WRITE:
        return f"others may write to {what} {folder}, and what they write would run as code here: chmod go-w {folder}"
    for above in folder.resolve().parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return (
                f"everybody may write to {above}, and so put another folder in the place of {what} {folder}, whose "
                f"pickles would run as code here: chmod o-w {above}"
            )
    return ""


def doubt(file: Path) -> str:
    """Why somebody else may have written a file of settings, in words; empty if only this user and root may have.

    A group that holds this user alone, as many systems give to each user, is nobody else. Raises OSError.
    """
    for path in (file, file.parent):
        found = path.stat()
        of = "it" if path == file else "its folder"
        if found.st_uid not in (os.geteuid(), 0):
            return f"{of} belongs to another user (uid {found.st_uid})"
        sticky = path != file and found.st_mode & stat.S_ISVTX
        if found.st_mode & stat.S_IWOTH and not sticky:
            return f"everybody may write to {of}"
        if found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid):
            return f"the group {found.st_gid} may write to {of}"
    return ""


def _is_private(gid: int) -> bool:
    """Whether a group has no member but this user."""
    import grp
    import pwd

    try:
        me = pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == me.pw_name and set(group.gr_mem) <= {me.pw_name}


def is_own_file(status: os.stat_result) -> bool:
    """Whether it is a plain file of this user's, which nobody else may write to."""
    return (
        stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & OTHERS_WRITE
    )


def open_own(path: str | Path) -> int:
    """A descriptor to read a file of the user's own; one that is none is not there: FileNotFoundError.

    It waits for nobody, and follows no link.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO or Path(path).is_symlink():  # a socket, or a link
            raise FileNotFoundError(path) from error
        raise
    if not is_own_file(os.fstat(descriptor)):
        os.close(descriptor)
        raise FileNotFoundError(path)
    return descriptor
