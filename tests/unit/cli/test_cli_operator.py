"""Where the operator's shell says too little."""

import pytest

from cloudspend import wiring
from cloudspend.errors import UsageError


def test_a_shell_without_a_region_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    wiring.operator.cache_clear()
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(UsageError, match="AWS_DEFAULT_REGION"):
        wiring.operator()
