"""Tags and cost categories of a row: as the customer wrote them, and by keys that all kinds share.

Source: AWS Data Exports user guide, "Resource tags columns" (`user_` and `aws_` before a key) and
"Tags columns" (`resourceTags/`, `accountTag/`, `iamPrincipal/`, `userAttribute/`, `costCategory/`);
FOCUS 1.2, Tags: keys as the customer chose them, the provider's under its prefix, and each further
kind of label under a prefix of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cloudspend.convert.attributes import merged
from cloudspend.convert.names import chosen_key, label_key

RESOURCE_TAG = "resourceTags"
CATEGORY = "costCategory"
OTHER_SOURCES = ("accountTag", "iamPrincipal", "userAttribute")


@dataclass(frozen=True)
class Labels:
    """`tags` by chosen key, those of other things than resources as `<source>/<key>`.

    `shown` are the same tags by the keys that FOCUS's column has them under.
    """

    tags: Mapping[str, str]
    categories: Mapping[str, str]
    shown: Mapping[str, str]

    def focus_tags(self) -> dict[str, str]:
        """FOCUS: all labels in one map."""
        categories = {f"{CATEGORY}/{name}": value for name, value in self.categories.items()}
        return {**self.shown, **categories}

    def normalized_tags(self) -> dict[str, str]:
        """Tags by `label_key`, in an order that depends on the keys alone."""
        return merged((_normalized(key), value) for key, value in sorted(self.tags.items()))

    def normalized_categories(self) -> dict[str, str]:
        """Cost categories by `label_key`, likewise."""
        return merged((label_key(key), value) for key, value in sorted(self.categories.items()))

    def tag(self, key: str) -> str | None:
        """The value of a tag, its key given in any spelling."""
        return self.normalized_tags().get(_normalized(chosen_key(key)))


def line_item_labels(
    resource_tags: Mapping[str, str], tags: Mapping[str, str], categories: Mapping[str, str]
) -> Labels:
    """Labels of a line item from the columns resource_tags, tags and cost_category.

    `tags` repeats the others where an export has it, with keys nearer to what the customer wrote.
    """
    found: list[tuple[str, str]] = []
    named: list[tuple[str, str]] = []
    for key, value in sorted(tags.items()):
        source, _, rest = key.partition("/")
        if source == CATEGORY and rest:
            named.append((rest, value))
        elif source in OTHER_SOURCES and rest:
            found.append((f"{source}/{chosen_key(rest)}", value))
        else:
            own = rest if source == RESOURCE_TAG and rest else key
            found.append((chosen_key(own), value))
    own_keys = ((chosen_key(key), value) for key, value in resource_tags.items())
    found += _further(found, own_keys)
    named += _further(named, categories.items())
    labelled = _with_value(found)
    return Labels(labelled, _with_value(named), labelled)


def focus_labels(tags: Mapping[str, str], categories: Mapping[str, str]) -> Labels:
    """Labels of a row that AWS has put into FOCUS itself, keys as they are there.

    FOCUS 1.0 has cost categories in x_CostCategories; 1.2 has no such column and keeps them in
    Tags, where they are recognized by their prefix.
    """
    prefix = f"{CATEGORY}/"
    shown = {key: value for key, value in tags.items() if not key.startswith(prefix)}
    within = {key.removeprefix(prefix): tags[key] for key in tags.keys() - shown.keys()}
    own = merged((chosen_key(key), value) for key, value in sorted(shown.items()))
    return Labels(own, merged([*categories.items(), *sorted(within.items())]), shown)


def _further(
    known: Iterable[tuple[str, str]], entries: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of `entries` that `known` does not hold in another spelling already."""
    held = {(label_key(key), value) for key, value in known}
    return sorted((key, value) for key, value in entries if (label_key(key), value) not in held)


def _with_value(entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The legacy report cannot tell an empty tag from none, so that neither kind does."""
    return merged((key, value) for key, value in entries if value)


def _normalized(key: str) -> str:
    source, _, rest = key.partition("/")
    return f"{source}/{label_key(rest)}" if source in OTHER_SOURCES and rest else label_key(key)
