"""Tags and cost categories of a row: as the customer wrote them, and by keys that all kinds share.

Source: AWS Data Exports user guide, "Resource tags columns" (`user_` and `aws_` before a key) and
"Tags columns" (`resourceTags/`, `accountTag/`, `iamPrincipal/`, `userAttribute/`, `costCategory/`);
FOCUS 1.2, Tags: keys as the customer chose them, the provider's under its prefix, and each further
kind of label under a prefix of its own.
"""

from collections.abc import Iterable
from dataclasses import replace

import pyarrow.compute as pc

from cloudspend.convert.engine.maps import Maps, each
from cloudspend.convert.focus.attributes import Entries, all_renamed, merged, renamed
from cloudspend.convert.focus.names import chosen_key, label_key

RESOURCE_TAG = "resourceTags"
CATEGORY = "costCategory/"
OTHER_SOURCES = ("accountTag", "iamPrincipal", "userAttribute")


def line_item_tags(resource_tags: Entries, tags: Entries) -> Entries:
    """A line item's tags by chosen key, those of other things than resources as `<source>/<key>`.

    The column `tags` repeats resource_tags where an export has it, with keys nearer to what the
    customer wrote. The legacy report cannot tell an empty tag from none, so that no kind does.
    """
    own = renamed(_with_value(resource_tags), chosen_key)
    if not tags:
        return own
    first = {key: value for key, value in tags.items() if not key.startswith(CATEGORY)}
    return _joined(renamed(_with_value(first), _own_key), own)


def all_line_item_tags(resource_tags: Maps, tags: Maps) -> Maps:
    """`line_item_tags` of the maps of each number."""
    if len(tags.keys):
        return each(line_item_tags, resource_tags, tags)
    return all_renamed(with_value(resource_tags), chosen_key)


def line_item_categories(categories: Entries, tags: Entries) -> Entries:
    """A line item's cost categories by name, those of the column `tags` first."""
    own = _with_value(categories)
    return _joined(categories_in(tags), own) if tags else own


def all_line_item_categories(categories: Maps, tags: Maps) -> Maps:
    """`line_item_categories` of the maps of each number."""
    if len(tags.keys):
        return each(line_item_categories, categories, tags)
    return with_value(categories)


def categories_in(tags: Entries) -> dict[str, str]:
    """The cost categories among tags, where they stand under a prefix, by name."""
    return {
        key.removeprefix(CATEGORY): value
        for key, value in sorted(tags.items())
        if key.startswith(CATEGORY) and value
    }


def with_value(maps: Maps) -> Maps:
    """Maps without their entries of an empty text."""
    return maps.where(lambda texts: pc.not_equal(texts, ""))


def with_prefix(categories: Maps) -> Maps:
    """Cost categories as labels among tags."""
    return replace(categories, names=tuple(f"{CATEGORY}{name}" for name in categories.names))


def normalized_tags(tags: Maps) -> Maps:
    """Tags by a key that all spellings share; the keys of `tags` are chosen ones."""
    return all_renamed(tags, normalized_key)


def normalized_categories(categories: Maps) -> Maps:
    """Cost categories by a name that all spellings share."""
    return all_renamed(categories, label_key)


def normalized_key(key: str) -> str:
    """`label_key`, the source of a label that is not a resource's left before it."""
    source, _, rest = key.partition("/")
    return f"{source}/{label_key(rest)}" if source in OTHER_SOURCES and rest else label_key(key)


def _own_key(key: str) -> str:
    """The key in the column `tags` of what is no cost category."""
    source, _, rest = key.partition("/")
    if source in OTHER_SOURCES and rest:
        return f"{source}/{chosen_key(rest)}"
    return chosen_key(rest if source == RESOURCE_TAG and rest else key)


def _joined(first: Entries, further: Entries) -> dict[str, str]:
    """Both, without what `first` holds in another spelling already."""
    held = {(label_key(key), value) for key, value in first.items()}
    new: Iterable[tuple[str, str]] = (
        (key, value)
        for key, value in sorted(further.items())
        if (label_key(key), value) not in held
    )
    return merged([*sorted(first.items()), *new])


def _with_value(entries: Entries) -> Entries:
    if all(entries.values()):
        return entries
    return {key: value for key, value in entries.items() if value}
