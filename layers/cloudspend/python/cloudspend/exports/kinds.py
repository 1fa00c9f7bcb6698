"""Detect the export kind by its column names.

A kind is identified by columns that no other kind has. Column lists can be partial (an export
selects columns, the legacy report contains only those with values), so several kinds can remain.
"""

from collections.abc import Collection

from cloudspend.accounts.model import ExportKind
from cloudspend.exports.tables import EXPORT_TABLES

EVERY_KIND = frozenset(ExportKind)
CUR_KINDS = frozenset({ExportKind.CUR_LEGACY, ExportKind.CUR_2_0})
FOCUS_KINDS = frozenset({ExportKind.FOCUS_1_0, ExportKind.FOCUS_1_2})
NAMES = {
    ExportKind.CUR_LEGACY: "a legacy Cost and Usage Report",
    ExportKind.CUR_2_0: "a CUR 2.0 export",
    ExportKind.FOCUS_1_0: "a FOCUS 1.0 export",
    ExportKind.FOCUS_1_2: "a FOCUS 1.2 export",
}

_COLUMNS = {
    kind: frozenset(name.lower() for name in (*table.columns, *table.split_cost_columns))
    for kind, table in EXPORT_TABLES.items()
}
_CUR_2_0 = _COLUMNS[ExportKind.CUR_2_0]
_ONLY_FOCUS_1_0 = _COLUMNS[ExportKind.FOCUS_1_0] - _COLUMNS[ExportKind.FOCUS_1_2]
_ONLY_FOCUS_1_2 = _COLUMNS[ExportKind.FOCUS_1_2] - _COLUMNS[ExportKind.FOCUS_1_0]
_FOCUS = frozenset({"billedcost", "effectivecost", "listcost", "chargecategory"})
# Every CUR has columns of these groups; snake case is CUR 2.0, or the Athena form of the legacy
# report (AWS Cost and Usage Report user guide, "Column names in Athena").
_CUR_GROUPS = ("bill_", "line_item_", "identity_")
# Map columns and account names exist only in CUR 2.0; the legacy report has a column for each tag
# and product attribute instead.
_ONLY_CUR_2_0 = frozenset(
    {
        "bill_payer_account_name",
        "cost_category",
        "discount",
        "line_item_usage_account_name",
        "product",
        "resource_tags",
    }
)
_LEGACY_GROUPS = ("product_", "resource_tags_", "cost_category_")


def kinds_of(columns: Collection[str]) -> frozenset[ExportKind]:
    """Return the kinds that `columns` can belong to, in any case of letters.

    Empty for columns of no cost export, every kind for an empty list.
    """
    if not columns:
        return EVERY_KIND
    names = frozenset(name.lower() for name in columns)
    if any("/" in name for name in names):
        return frozenset({ExportKind.CUR_LEGACY})
    if names & _FOCUS:
        return _focus_kinds(names)
    if any(name.startswith(_CUR_GROUPS) for name in names):
        return _cur_kinds(names)
    return frozenset()


def kinds_of_report(columns: Collection[str]) -> frozenset[ExportKind]:
    """Return the kinds for the columns of a legacy report's manifest."""
    return frozenset({ExportKind.CUR_LEGACY}) if kinds_of(columns) & CUR_KINDS else frozenset()


def kinds_of_export(columns: Collection[str]) -> frozenset[ExportKind]:
    """Return the kinds for the columns of a Data Exports manifest.

    A CUR is always CUR 2.0 there, even if its query unpacks a map or renames columns.
    """
    found = kinds_of(columns)
    if found and found <= CUR_KINDS:
        return frozenset({ExportKind.CUR_2_0})
    return found - {ExportKind.CUR_LEGACY}


def named(kinds: Collection[ExportKind]) -> str:
    """Return the kinds as part of a sentence."""
    return " or ".join(NAMES[kind] for kind in ExportKind if kind in kinds)


def _focus_kinds(names: frozenset[str]) -> frozenset[ExportKind]:
    if names & _ONLY_FOCUS_1_2:
        return frozenset({ExportKind.FOCUS_1_2})
    if names & _ONLY_FOCUS_1_0:
        return frozenset({ExportKind.FOCUS_1_0})
    return FOCUS_KINDS


def _cur_kinds(names: frozenset[str]) -> frozenset[ExportKind]:
    if names & _ONLY_CUR_2_0:
        return frozenset({ExportKind.CUR_2_0})
    if any(name.startswith(_LEGACY_GROUPS) and name not in _CUR_2_0 for name in names):
        return frozenset({ExportKind.CUR_LEGACY})
    return CUR_KINDS
