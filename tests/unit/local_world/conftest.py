"""One world for all tests: koku-nise takes seconds."""

from datetime import date

import pytest

from local.world.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return World.standard(date(2026, 11, 4))
