"""Mappings by export kind. The two kinds of line items share one, the two FOCUS kinds another.

Each mapping finds its columns in any spelling and order, and treats a missing column as empty. One
table of rules, which reads like FOCUS's column library, serves both kinds.
"""

from collections.abc import Mapping

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.mapping import KindMapping
from cloudspend.convert.focus.mappings import focus, line_items

MAPPINGS: Mapping[ExportKind, KindMapping] = {
    ExportKind.CUR_LEGACY: line_items.MAPPING,
    ExportKind.CUR_2_0: line_items.MAPPING,
    ExportKind.FOCUS_1_0: focus.MAPPING,
    ExportKind.FOCUS_1_2: focus.MAPPING,
}
