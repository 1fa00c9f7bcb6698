"""Tags and cost categories of a row, by the customer's keys and by normalized keys.

Source: AWS Data Exports user guide, "Resource tags columns" (`user_` and `aws_` before a key) and
"Tags columns" (`resourceTags/`, `accountTag/`, `iamPrincipal/`, `userAttribute/`, `costCategory/`);
FOCUS 1.2, Tags: keys as the customer chose them, the provider's keys with its prefix, and each
other kind of label with a prefix of its own.
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
    """Return a line item's tags by key. Tags of other things than resources get `<source>/<key>`.

    The column `tags` repeats resource_tags where an export has it, with keys closer to the
    customer's. The legacy report does not distinguish an empty tag from none, so no kind does.
    """
    own = renamed(_with_value(resource_tags), chosen_key)
    if not tags:
        return own
    first = {key: value for key, value in tags.items() if not key.startswith(CATEGORY)}
    return _joined(renamed(_with_value(first), _own_key), own)


def all_line_item_tags(resource_tags: Maps, tags: Maps) -> Maps:
    """Return `line_item_tags` for each distinct combination of maps."""
    if len(tags.keys):
        return each(line_item_tags, resource_tags, tags)
    return all_renamed(with_value(resource_tags), chosen_key)


def line_item_categories(categories: Entries, tags: Entries) -> Entries:
    """Return a line item's cost categories by name; those of the column `tags` come first."""
    own = _with_value(categories)
    return _joined(categories_in(tags), own) if tags else own


def all_line_item_categories(categories: Maps, tags: Maps) -> Maps:
    """Return `line_item_categories` for each distinct combination of maps."""
    if len(tags.keys):
        return each(line_item_categories, categories, tags)
    return with_value(categories)


def categories_in(tags: Entries) -> dict[str, str]:
    """Return the cost categories among tags, where they have a prefix, by name."""
    return {
        key.removeprefix(CATEGORY): value
        for key, value in sorted(tags.items())
        if key.startswith(CATEGORY) and value
    }


def with_value(maps: Maps) -> Maps:
    """Return the maps without entries whose text is empty."""
    return maps.where(lambda texts: pc.not_equal(texts, ""))


def with_prefix(categories: Maps) -> Maps:
    """Return cost categories as labels with their prefix."""
    return replace(categories, names=tuple(f"{CATEGORY}{name}" for name in categories.names))


def normalized_tags(tags: Maps) -> Maps:
    """Return tags by normalized key; the keys of `tags` have no origin prefix."""
    return all_renamed(tags, normalized_key)


def normalized_categories(categories: Maps) -> Maps:
    """Return cost categories by normalized name."""
    return all_renamed(categories, label_key)


def normalized_key(key: str) -> str:
    """Return the normalized key, with the source of a label that does not belong to a resource
    before it.
    """
    source, _, rest = key.partition("/")
    return f"{source}/{label_key(rest)}" if source in OTHER_SOURCES and rest else label_key(key)


def _own_key(key: str) -> str:
    """Return the key of a label in the column `tags` that is not a cost category."""
    source, _, rest = key.partition("/")
    if source in OTHER_SOURCES and rest:
        return f"{source}/{chosen_key(rest)}"
    return chosen_key(rest if source == RESOURCE_TAG and rest else key)


def _joined(first: Entries, further: Entries) -> dict[str, str]:
    """Return the entries of both, without those that `first` has in another spelling."""
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
