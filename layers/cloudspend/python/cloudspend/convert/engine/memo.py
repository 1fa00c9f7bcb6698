"""Thread-safe memoization: callers with the same key wait for the first result."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Results by key. Exceptions are not stored.

    A caller waits for another thread that is computing the same key.
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}
        self._under_way: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return the result of `find`, which is called only for a new key."""
        if key not in self._found:
            with self._lock:
                own = self._under_way.setdefault(key, threading.Lock())
            with own:
                if key not in self._found:
                    self._found[key] = find()
        found: T = self._found[key]
        return found
