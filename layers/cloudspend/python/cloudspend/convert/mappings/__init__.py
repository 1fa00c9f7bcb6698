"""One mapping per export kind."""

from collections.abc import Mapping

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.mapping import KindMapping
from cloudspend.convert.mappings import legacy

MAPPINGS: Mapping[ExportKind, KindMapping] = {ExportKind.CUR_LEGACY: legacy.MAPPING}
