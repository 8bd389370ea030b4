"""Work on a stream of items by several threads, with few items in memory at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_flight(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int
) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items while further ones are worked on.

    Parameters
    ----------
    function
        Called in a thread.
    items
        Taken one at a time, in the caller's thread.
    workers
        Threads.
    ahead
        Results that may wait to be taken, at most; with the one just taken they are all that is
        in memory.

    Raises
    ------
    Exception
        That of the first item that failed, in place of its result; later items are dropped.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
