"""What is found out once, whichever thread asks first."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Answers by key; the same key always stands for the same question.

    A thread that asks what another one is finding out waits for it. What raises is no answer.
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}
        self._under_way: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` gives, which is called when nobody has asked before."""
        if key not in self._found:
            with self._lock:
                own = self._under_way.setdefault(key, threading.Lock())
            with own:
                if key not in self._found:
                    self._found[key] = find()
        found: T = self._found[key]
        return found
