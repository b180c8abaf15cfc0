"""What a user's own file may hold: executors that are complete, that are not, for another version, and other things."""

from turgo.executor import Executor


def double(x):
    return 2 * x


class Mine(Executor):
    def __init__(self, *, size: int = 1):
        self.size = size

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return None


class Half(Executor):
    pass


class Old(Mine):
    api_version = 0


class Other:
    pass


one = Mine()
