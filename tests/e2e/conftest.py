"""One local cloud for all end-to-end tests, deployed once."""

from collections.abc import Iterator

import pytest

from local.deploy import deploy
from local.machine import LocalCloud
from local.platform import Platform, now
from local.story import Story
from tests.e2e.scene import Scene


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "e2e":
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud.start() as started:
        deploy(started, lambda _: None)
        yield started


@pytest.fixture(scope="session")
def story(cloud: LocalCloud) -> Story:
    """The demo's customer, with the subscribers to the platform's alerts in place."""
    story = Story(Platform(cloud), now().date())
    story.subscribe()
    return story


@pytest.fixture(scope="session")
def scene(story: Story) -> Scene:
    return Scene(story.platform)
