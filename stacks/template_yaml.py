"""A template as YAML that people read: CloudFormation's short forms, the parts in the order in
which one asks for them, and above each resource and statement a sentence of what it is for.

The same template gives the same text, and the text gives back the very same template.
"""

import json
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

WIDTH = 98
_ORDER = ("AWSTemplateFormatVersion", "Label", "Type", "Condition", "DeletionPolicy")
_STATEMENT = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")

# PyYAML quotes every value with a tag.
_QUOTED = re.compile(r"!(Ref|GetAtt|Condition) '([\w.:]+)'")
# A statement of a policy, and the first line of a resource or output.
_NAMED = re.compile(r"(?P<indent> *)(?:- Sid: (?P<sid>\w+)|(?P<name>\w+):)")
# The line above a text that is written line by line, and no such line's depth.
_TEXT_BELOW = re.compile(r": \|[-+0-9]*$")
NOWHERE = -1

Template = Mapping[str, Any]


def written(
    folder: Path, name: str, make: Callable[[App], Stack], title: str, sentences: Mapping[str, str]
) -> Path:
    """Synthesize the stack that `make` adds to an app of its own into `folder`, judged by cdk-nag,
    and write its template there as the file `name`."""
    app = App(outdir=str(folder), analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = make(app)
    app.synth()
    template = json.loads((folder / stack.template_file).read_text(encoding="utf-8"))
    path = folder / name
    path.write_text(to_yaml(template, title, sentences), encoding="utf-8")
    return path


def to_yaml(template: Template, title: str, sentences: Mapping[str, str]) -> str:
    """The template's text under `title`. `sentences` say what the resources and statements are for,
    by logical id and by Sid."""
    dumped = yaml.dump(
        _short(template),
        Dumper=_Writer,
        sort_keys=False,
        width=WIDTH,
        allow_unicode=True,
    )
    return f"{_comment(title, '')}\n{_explained(dumped, sentences)}"


def from_yaml(text: str) -> dict[str, Any]:
    """The template that a text represents, with intrinsic functions in their long form."""
    reader = _Reader(text)
    try:
        template: dict[str, Any] = reader.get_single_data()
    finally:
        reader.dispose()
    return template


class _Writer(yaml.SafeDumper):  # type: ignore[misc] # PyYAML is not typed
    """Writes lists indented, long texts in several lines, and no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


class _Reader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML is not typed
    """Reads the short forms of intrinsic functions."""


class _Intrinsic:
    """A function of CloudFormation in its short form."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value


def _short(value: Any) -> Any:
    """`value` in the order of reading, with intrinsic functions in their short form."""
    if isinstance(value, list):
        return [_short(each) for each in value]
    if not isinstance(value, dict):
        return value
    if intrinsic := _intrinsic(value):
        return intrinsic
    first = [key for key in (_STATEMENT if "Sid" in value else _ORDER) if key in value]
    return {key: _short(value[key]) for key in dict.fromkeys([*first, *value])}


def _intrinsic(value: dict[str, Any]) -> _Intrinsic | None:
    if len(value) != 1:
        return None
    match value:
        case {"Fn::GetAtt": [str(resource), str(attribute)]}:
            return _Intrinsic("GetAtt", f"{resource}.{attribute}")
        case {"Ref": str(name)}:
            return _Intrinsic("Ref", name)
        case {"Condition": str(name)}:
            return _Intrinsic("Condition", name)
    [(name, argument)] = value.items()
    if name.startswith("Fn::"):
        return _Intrinsic(name.removeprefix("Fn::"), _short(argument))
    return None


def _write_intrinsic(writer: yaml.SafeDumper, intrinsic: _Intrinsic) -> yaml.Node:
    tag, value = f"!{intrinsic.name}", intrinsic.value
    if isinstance(value, list):
        return writer.represent_sequence(tag, value, flow_style=_is_brief(value))
    return writer.represent_scalar(tag, value)


def _is_brief(values: list[Any]) -> bool:
    return len(str([getattr(each, "value", each) for each in values])) < WIDTH // 2


def _write_text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    """A text of several lines, such as a template in the template, is written line by line."""
    style = "|" if "\n" in text else ">" if len(text) > WIDTH else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _read_intrinsic(reader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    long = name if name in ("Ref", "Condition") else f"Fn::{name}"
    match node:
        case yaml.ScalarNode():
            text = reader.construct_scalar(node)
            return {long: text.split(".", 1) if name == "GetAtt" else text}
        case yaml.SequenceNode():
            return {long: reader.construct_sequence(node, deep=True)}
    raise ValueError(f"!{name} is given neither a text nor a list.")


_Writer.add_representer(_Intrinsic, _write_intrinsic)
_Writer.add_representer(str, _write_text)
_Reader.add_multi_constructor("!", _read_intrinsic)


def _explained(dumped: str, sentences: Mapping[str, str]) -> str:
    """The text with each sentence above the first line of what it is about, and an empty line
    before each part. A text over several lines, such as a template within, stays as it is."""
    lines: list[str] = []
    section, within = "", NOWHERE
    for line in _QUOTED.sub(r"!\1 \2", dumped).splitlines():
        if within != NOWHERE and (not line or _depth(line) > within):
            lines.append(line)
            continue
        within = _depth(line) if _TEXT_BELOW.search(line) else NOWHERE
        found = _NAMED.match(line)
        indent = found["indent"] if found else ""
        if found and found["name"] and not indent:
            section = found["name"]
            lines.append("")
        named = found and (found["sid"] or (section == "Resources" and len(indent) == 2))
        if found and named:
            lines += [""] if found["name"] else []
            lines.append(_comment(sentences[found["sid"] or found["name"]], indent))
        lines.append(line)
    return "\n".join(lines) + "\n"


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _comment(sentences: str, indent: str) -> str:
    """Paragraphs, which stand with an empty line in between, as lines of comment."""
    mark = f"{indent}# "
    return f"\n{mark.rstrip()}\n".join(
        textwrap.fill(paragraph, WIDTH, initial_indent=mark, subsequent_indent=mark)
        for paragraph in sentences.split("\n\n")
    )
