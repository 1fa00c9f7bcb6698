"""Accounts of every kind and what AWS would have put into their buckets."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cloudspend.accounts.model import Account, Export, ExportKind
from cloudspend.exports.layout import folder_of, manifest_name
from cloudspend.exports.model import BillingPeriod
from cloudspend.exports.tables import EXPORT_TABLES
from tests.fakes.accounts import an_account
from tests.fakes.exports import DELIVERED, FakeCustomerBucket, export_manifest, legacy_manifest

BUCKET = "cost-bucket"
OCTOBER = BillingPeriod(2026, 10)
DATA_EXPORTS = tuple(EXPORT_TABLES)


def account_of(kind: ExportKind) -> Account:
    return replace(an_account(), export=Export(kind, BUCKET, "cloudspend", "bill"))


@dataclass(frozen=True)
class Layout:
    """A way in which AWS delivers: of which kind, in which folders, as which files."""

    kind: ExportKind
    overwrite: bool = False
    suffix: str = ".csv.gz"
    partition: str = "BILLING_PERIOD"
    manifest_in_range: bool = False

    @property
    def account(self) -> Account:
        return account_of(self.kind)

    @property
    def compression(self) -> str:
        return {".csv.gz": "gzip", ".csv.zip": "zip", ".snappy.parquet": "parquet"}[self.suffix]

    def file(self, period: BillingPeriod, delivery: str) -> str:
        return f"{self._files(period, delivery)}/bill-00001{self.suffix}"

    def manifests(self, period: BillingPeriod, delivery: str) -> list[str]:
        """The delivery's own copy first, where it has one."""
        folders = []
        if not self.overwrite:
            folders.append(self._files(period, delivery).replace("/data/", "/metadata/"))
        folders.append(self._newest(period))
        return [f"{folder}/{manifest_name(self.account.export)}" for folder in folders]

    def body(self, period: BillingPeriod, delivery: str) -> bytes:
        file = self.file(period, delivery)
        if self.kind is ExportKind.CUR_LEGACY:
            compression = {"gzip": "GZIP", "zip": "ZIP", "parquet": "Parquet"}[self.compression]
            month = f"{period.start:%Y%m%d}"
            return legacy_manifest(delivery, month, [file], compression=compression)
        columns = EXPORT_TABLES[self.kind].columns
        return export_manifest(delivery, columns, [f"s3://{BUCKET}/{file}"])

    def deliver(
        self,
        bucket: FakeCustomerBucket,
        period: BillingPeriod = OCTOBER,
        delivery: str = "aaaa-1",
        at: datetime = DELIVERED,
    ) -> list[str]:
        """Put a delivery into `bucket` as AWS does: the newest copy of the manifest last."""
        bucket.put(BUCKET, self.file(period, delivery), b"data", at)
        keys = self.manifests(period, delivery)
        for number, key in enumerate(keys):
            bucket.put(BUCKET, key, self.body(period, delivery), at + timedelta(seconds=number + 1))
        return keys

    def _range(self, period: BillingPeriod) -> str:
        return f"{folder_of(self.account.export)}{period.start:%Y%m%d}-{period.end:%Y%m%d}"

    def _files(self, period: BillingPeriod, delivery: str) -> str:
        folder = folder_of(self.account.export)
        if self.kind is not ExportKind.CUR_LEGACY:
            below = "" if self.overwrite else f"/20261103T063000Z-{delivery}"
            return f"{folder}data/{self.partition}={period}{below}"
        if self.overwrite:
            return f"{folder}bill/year={period.year}/month={period.month}"
        return f"{self._range(period)}/{delivery}"

    def _newest(self, period: BillingPeriod) -> str:
        if self.kind is not ExportKind.CUR_LEGACY:
            return f"{folder_of(self.account.export)}metadata/{self.partition}={period}"
        if self.overwrite and not self.manifest_in_range:
            return self._files(period, "")
        return self._range(period)


LAYOUTS = {
    "legacy": Layout(ExportKind.CUR_LEGACY),
    "legacy-zip": Layout(ExportKind.CUR_LEGACY, suffix=".csv.zip"),
    "legacy-overwritten-parquet": Layout(
        ExportKind.CUR_LEGACY, overwrite=True, suffix=".snappy.parquet"
    ),
    "legacy-overwritten-gzip": Layout(ExportKind.CUR_LEGACY, overwrite=True),
    "legacy-overwritten-manifest-in-range": Layout(
        ExportKind.CUR_LEGACY, overwrite=True, manifest_in_range=True
    ),
    **{
        f"{kind}{'-overwritten' if overwrite else ''}{suffix}": Layout(kind, overwrite, suffix)
        for kind in DATA_EXPORTS
        for overwrite in (False, True)
        for suffix in (".csv.gz", ".snappy.parquet")
    },
    "focus-lower-case": Layout(ExportKind.FOCUS_1_0, partition="billing_period"),
}
