"""Doing things at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def at_once(
    calls: Sequence[Callable[[], Any]], expected: type[Exception] | tuple[type[Exception], ...] = ()
) -> list[Any]:
    """What each call gives, all made at the same moment; an `expected` error is given, others raised."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except expected as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
