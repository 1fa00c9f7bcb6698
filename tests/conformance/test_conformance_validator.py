"""The official validator's word on converted bills. Making its environment takes half a minute."""

import pytest

from conformance import validator, verdict


@pytest.fixture(scope="module")
def found() -> verdict.ByKind:
    try:
        validator.prepare()
    except validator.NotJudged as reason:
        pytest.skip(str(reason))
    return verdict.judgements()


def test_the_rules_that_fail_are_those_that_are_explained(found: verdict.ByKind) -> None:
    assert verdict.differences(found, verdict.known()) == []


def test_the_validator_judges_most_of_its_rules(found: verdict.ByKind) -> None:
    for judgement in found.values():
        assert judgement.rules > 500
        assert judgement.judged > judgement.rules / 2
