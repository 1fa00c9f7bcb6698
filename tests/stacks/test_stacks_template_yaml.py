"""The customer's template as text: the very same template, the same text each time, and a sentence
for everything."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.settings import CUSTOMER_STACK, CUSTOMER_TEMPLATE, MEMBER_ROLE
from stacks.customer_stack import write_template
from stacks.customer_texts import MEMBER_SENTENCES, MEMBER_TITLE, OUTPUTS, SENTENCES, TITLE
from stacks.template_yaml import WIDTH, from_yaml, to_yaml
from tests.stacks.stacks_reading import ROOT, Template
from tests.unit.test_docs import FENCE

TEXTS = st.text(st.characters(exclude_categories=["C"]), max_size=150)
INTRINSICS = st.one_of(
    st.builds(lambda name: {"Ref": name}, st.sampled_from(["Bucket", "AWS::Region"])),
    st.just({"Fn::GetAtt": ["Bucket", "Arn"]}),
    st.builds(lambda text: {"Fn::Sub": text}, TEXTS),
    st.just({"Condition": "IsMade"}),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(), INTRINSICS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["Name", "Type", "x-1", "s3:prefix"]), inner, max_size=3),
        st.builds(lambda yes, no: {"Fn::If": ["IsMade", yes, no]}, inner, inner),
        st.builds(lambda parts: {"Fn::Join": ["", parts]}, st.lists(inner, max_size=2)),
    ),
    max_leaves=8,
)


@pytest.fixture
def text(assembly: Path) -> str:
    return (assembly / "customer" / CUSTOMER_TEMPLATE).read_text(encoding="utf-8")


def test_the_text_is_the_very_template_that_was_synthesized(text: str, assembly: Path) -> None:
    made = assembly / "customer" / f"{CUSTOMER_STACK}.template.json"
    assert from_yaml(text) == json.loads(made.read_text(encoding="utf-8"))


def test_the_same_template_has_the_same_text(text: str, tmp_path: Path) -> None:
    assert write_template(tmp_path).read_text(encoding="utf-8") == text


def test_there_is_a_sentence_for_every_resource_and_statement_and_no_other(
    text: str, customer: Template
) -> None:
    within = customer["Resources"]["MemberStackSet"]["Properties"]["TemplateBody"]
    outer = _without(text, within)
    for written, sentences, resources in (
        (outer, SENTENCES, customer["Resources"]),
        (within, MEMBER_SENTENCES, from_yaml(within)["Resources"]),
    ):
        sids = re.findall(r"Sid: (\w+)", written)
        assert len(sids) == len(set(sids)) == written.count("Effect: ")
        assert set(sentences) == {*resources, *sids}
    assert set(OUTPUTS) == set(customer["Outputs"])


@pytest.mark.parametrize("inner", [False, True], ids=["customer", "member"])
def test_each_sentence_stands_above_what_it_explains(
    text: str, customer: Template, inner: bool
) -> None:
    within = customer["Resources"]["MemberStackSet"]["Properties"]["TemplateBody"]
    lines = (within if inner else _without(text, within)).splitlines()
    title, sentences = (MEMBER_TITLE, MEMBER_SENTENCES) if inner else (TITLE, SENTENCES)
    assert title.startswith(lines[0].removeprefix("# "))
    for name, sentence in sentences.items():
        [place] = [
            n for n, line in enumerate(lines) if re.fullmatch(rf" +(- Sid: )?{name}:?", line)
        ]
        last = lines[place - 1].strip().removeprefix("# ")
        assert last
        assert sentence.endswith(last)


def test_a_template_within_stands_line_by_line_as_it_was_written(text: str, assembly: Path) -> None:
    member = assembly / "customer" / "member" / f"{MEMBER_ROLE}.yaml"
    written = member.read_text(encoding="utf-8")
    assert _indented(written) in text
    made = member.with_name(f"{MEMBER_ROLE}.template.json")
    assert from_yaml(written) == json.loads(made.read_text(encoding="utf-8"))


def test_people_can_read_it(text: str, customer: Template) -> None:
    assert not text.lstrip().startswith("{")
    within = customer["Resources"]["MemberStackSet"]["Properties"]["TemplateBody"]
    for written in (within, _without(text, within)):
        comments = [line for line in written.splitlines() if line.lstrip().startswith("#")]
        assert comments
        assert all(len(line) <= WIDTH for line in comments)
    assert "!Ref ExportBucketName" in text
    assert "Fn::" not in text


@given(VALUES)
def test_any_template_comes_back_as_it_was(value: object) -> None:
    template = {"Resources": {"Thing": {"Type": "A::B::C", "Properties": {"Value": value}}}}
    text = to_yaml(template, "Title", {"Thing": "What it is for."})
    assert from_yaml(text) == template


def _indented(template: str) -> str:
    return "".join(f"{'        ' * bool(line.strip())}{line}" for line in template.splitlines(True))


def _without(text: str, within: str) -> str:
    """The text without the template that is in it."""
    before, found, after = text.partition(_indented(within))
    assert found
    return before + after


def explained() -> dict[str, tuple[str, set[str]]]:
    """What the reviewer's guide says of each statement, and the languages of its blocks."""
    guide = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    _, _, checks = guide.partition("\n## Check each statement\n")
    found = re.split(r"^#### (\w+)\n", checks.partition("\n## ")[0], flags=re.MULTILINE)
    return {
        sid: (
            " ".join(said.partition("```")[0].split()),
            {fence["language"] for fence in FENCE.finditer(said)},
        )
        for sid, said in zip(found[1::2], found[2::2], strict=True)
    }


def test_every_statement_can_be_checked_by_the_guide(text: str) -> None:
    guide = explained()
    assert sorted(guide) == sorted(set(re.findall(r"Sid: (\w+)", text)))
    for sid, (said, languages) in guide.items():
        assert said.startswith(SENTENCES[sid])
        assert languages == {"sh", "text"}
