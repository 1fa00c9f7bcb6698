"""Where AWS puts the objects of one delivery, below `<prefix>/<name>/` of the customer's bucket.

Legacy reports (AWS Cost and Usage Reports user guide, "Understanding your report versions"):

    CREATE_NEW_REPORT   <yyyymmdd-yyyymmdd>/<assemblyId>/<name>-00001.csv.gz
                        <yyyymmdd-yyyymmdd>/<assemblyId>/<name>-Manifest.json
                        <yyyymmdd-yyyymmdd>/<name>-Manifest.json
    OVERWRITE_REPORT    <yyyymmdd-yyyymmdd>/<name>-00001.csv.gz
                        <yyyymmdd-yyyymmdd>/<name>-Manifest.json
      for Athena        <name>/year=2026/month=9/<name>-00001.snappy.parquet
                        <name>/year=2026/month=9/<name>-Manifest.json

Data Exports (AWS Data Exports user guide, "Understanding export delivery"):

    CREATE_NEW_REPORT   data/BILLING_PERIOD=2026-09/<time>-<executionId>/<name>-00001.csv.gz
                        metadata/BILLING_PERIOD=2026-09/<time>-<executionId>/<name>-Manifest.json
                        metadata/BILLING_PERIOD=2026-09/<name>-Manifest.json
    OVERWRITE_REPORT    data/BILLING_PERIOD=2026-09/<name>-00001.csv.gz
                        metadata/BILLING_PERIOD=2026-09/<name>-Manifest.json

FOCUS exports have been seen with the partition in lower case, `billing_period=2026-09`.
"""

from dataclasses import dataclass
from datetime import datetime

from cloudspend.accounts.model import ExportKind
from cloudspend.exports.model import BillingPeriod
from local.world.files import Form


@dataclass(frozen=True)
class Report:
    """What the customer has ordered: which table, where to, in which format and layout."""

    bucket: str
    prefix: str
    name: str
    kind: ExportKind = ExportKind.CUR_LEGACY
    form: Form = Form.GZIP
    overwrite: bool = False

    @property
    def root(self) -> str:
        return "/".join(part for part in (self.prefix, self.name) if part)

    @property
    def manifest_name(self) -> str:
        return f"{self.name}-Manifest.json"


@dataclass(frozen=True)
class Places:
    """The folder of one delivery's data files, and the keys of its manifest.

    The manifests are in order of writing: the copy that the next delivery overwrites is the last.
    """

    data: str
    manifests: tuple[str, ...]


def places(report: Report, period: BillingPeriod, delivery_id: str, at: datetime) -> Places:
    """Where the delivery of a period goes that was made `at` this time."""
    if report.kind is ExportKind.CUR_LEGACY:
        return _legacy(report, period, delivery_id)
    time = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
    return _export(report, period, f"{time}-{delivery_id}")


def _legacy(report: Report, period: BillingPeriod, assembly_id: str) -> Places:
    ranged = f"{report.root}/{period.start:%Y%m%d}-{period.end:%Y%m%d}"
    latest = f"{ranged}/{report.manifest_name}"
    if not report.overwrite:
        folder = f"{ranged}/{assembly_id}"
        return Places(folder, (f"{folder}/{report.manifest_name}", latest))
    if report.form is Form.PARQUET:
        folder = f"{report.root}/{report.name}/year={period.year}/month={period.month}"
        return Places(folder, (f"{folder}/{report.manifest_name}",))
    return Places(ranged, (latest,))


def _export(report: Report, period: BillingPeriod, execution: str) -> Places:
    name = "BILLING_PERIOD" if report.kind is ExportKind.CUR_2_0 else "billing_period"
    partition = f"{name}={period}"
    data, metadata = f"{report.root}/data/{partition}", f"{report.root}/metadata/{partition}"
    latest = f"{metadata}/{report.manifest_name}"
    if report.overwrite:
        return Places(data, (latest,))
    own = f"{metadata}/{execution}/{report.manifest_name}"
    return Places(f"{data}/{execution}", (own, latest))
