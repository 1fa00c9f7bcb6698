"""Every template, synthesized once for all tests here."""

import json
from pathlib import Path

import pytest

from cloudspend.settings import CUSTOMER_TEMPLATE, MEMBERS_TEMPLATE
from stacks.stage import STAGES
from stacks.template_yaml import from_yaml
from tests.stacks.stacks_reading import Template, synthesized


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory.mktemp("cdk.out"), STAGES["production"])


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, Template]:
    """Each platform stack's template by the stack's name."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly.glob("*.template.json"))
    }


@pytest.fixture(scope="session")
def customer(assembly: Path) -> Template:
    text = (assembly / "customer" / CUSTOMER_TEMPLATE).read_text(encoding="utf-8")
    return from_yaml(text)


@pytest.fixture(scope="session")
def members(assembly: Path) -> Template:
    """The template for a delegated administrator for StackSets."""
    text = (assembly / "members" / MEMBERS_TEMPLATE).read_text(encoding="utf-8")
    return from_yaml(text)
