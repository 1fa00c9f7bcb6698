"""A unit test that opens a network socket is no unit test."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    enable_socket()
