"""Deliveries in a bucket: which copy of a manifest counts, which delivery is the newest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.errors import DeliveryError, PermissionDenied
from cloudspend.exports.deliveries import newest_deliveries, planned_files, read_delivery
from cloudspend.exports.layout import period_of
from cloudspend.exports.model import BillingPeriod
from tests.fakes.exports import DELIVERED, FakeCustomerBucket
from tests.unit.exports.exports_world import BUCKET, LAYOUTS, OCTOBER, Layout, account_of

SEPTEMBER = OCTOBER.previous
HOUR = timedelta(hours=1)

each_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


@pytest.fixture
def bucket() -> FakeCustomerBucket:
    return FakeCustomerBucket()


@each_layout
def test_every_copy_of_a_manifest_is_one_delivery(
    layout: Layout, bucket: FakeCustomerBucket
) -> None:
    keys = layout.deliver(bucket)
    found = [read_delivery(layout.account, bucket, BUCKET, key) for key in keys]
    assert all(each == found[0] for each in found)
    assert found[0].manifest_key == keys[0]


@each_layout
def test_while_a_delivery_has_no_copy_of_its_own_the_newest_counts(
    layout: Layout, bucket: FakeCustomerBucket
) -> None:
    key = layout.manifests(OCTOBER, "aaaa-1")[-1]
    bucket.put(BUCKET, key, layout.body(OCTOBER, "aaaa-1"))
    assert read_delivery(layout.account, bucket, BUCKET, key).manifest_key == key


def test_a_copy_of_another_delivery_does_not_count(bucket: FakeCustomerBucket) -> None:
    layout = LAYOUTS["CUR_2_0.csv.gz"]
    own, newest = layout.deliver(bucket)
    body = layout.body(OCTOBER, "aaaa-1").replace(b'"aaaa-1"', b'"bbbb-2"')
    bucket.put(BUCKET, own, body)
    assert read_delivery(layout.account, bucket, BUCKET, newest).delivery_id == "aaaa-1"


@each_layout
def test_no_delivery_without_a_manifest(layout: Layout, bucket: FakeCustomerBucket) -> None:
    for key in (layout.file(OCTOBER, "a"), layout.manifests(OCTOBER, "a")[-1]):
        with pytest.raises(DeliveryError, match=key):
            read_delivery(layout.account, bucket, BUCKET, key)


@each_layout
def test_the_newest_delivery_of_each_period_comes_first(
    layout: Layout, bucket: FakeCustomerBucket
) -> None:
    for month, period in enumerate((SEPTEMBER, OCTOBER)):
        for number, name in enumerate(("old-1", "new-2")):
            layout.deliver(bucket, period, name, DELIVERED + month * HOUR * 9 + number * HOUR)
    found = newest_deliveries(layout.account, bucket)
    assert [(each.period, each.delivery_id) for each in found.newest] == [
        (OCTOBER, "new-2"),
        (SEPTEMBER, "new-2"),
    ]
    assert found.unreadable == ()
    since = newest_deliveries(layout.account, bucket, since=OCTOBER)
    assert since.newest == found.newest[:1]
    alone = newest_deliveries(layout.account, bucket, period=SEPTEMBER)
    assert alone.newest == found.newest[1:]


@pytest.mark.parametrize("name", [name for name in LAYOUTS if not LAYOUTS[name].overwrite])
def test_without_a_newest_copy_the_deliveries_own_are_compared(
    name: str, bucket: FakeCustomerBucket
) -> None:
    layout = LAYOUTS[name]
    for number, delivery in enumerate(("old-1", "new-2", "mid-3")):
        own = layout.manifests(OCTOBER, delivery)[0]
        at = DELIVERED + (0, 2, 1)[number] * HOUR
        bucket.put(BUCKET, own, layout.body(OCTOBER, delivery), at)
    [found] = newest_deliveries(layout.account, bucket).newest
    assert found.delivery_id == "new-2"


@each_layout
def test_a_manifest_that_cannot_be_read_keeps_no_other_period_back(
    layout: Layout, bucket: FakeCustomerBucket
) -> None:
    layout.deliver(bucket, SEPTEMBER)
    layout.deliver(bucket, OCTOBER)
    for key in layout.manifests(SEPTEMBER, "aaaa-1"):
        bucket.put(BUCKET, key, b"{")
    found = newest_deliveries(layout.account, bucket)
    assert [each.period for each in found.newest] == [OCTOBER]
    [broken] = found.unreadable
    assert (broken.period, broken.manifest_key) == (
        SEPTEMBER,
        layout.manifests(SEPTEMBER, "aaaa-1")[-1],
    )
    assert "not JSON" in broken.error.summary


@pytest.mark.parametrize("configured", ExportKind)
@pytest.mark.parametrize("name", ["legacy", "legacy-overwritten-gzip", "FOCUS_1_2.csv.gz"])
def test_a_delivery_of_another_kind_is_found_and_told_of(
    name: str, configured: ExportKind, bucket: FakeCustomerBucket
) -> None:
    layout = LAYOUTS[name]
    layout.deliver(bucket)
    found = newest_deliveries(account_of(configured), bucket)
    if configured is layout.kind:
        assert not found.unreadable
    else:
        assert not found.newest
        assert [each.error.details["found"] for each in found.unreadable] == [str(layout.kind)]


def test_a_period_that_was_found_elsewhere_is_not_complained_of(
    bucket: FakeCustomerBucket,
) -> None:
    LAYOUTS["legacy"].deliver(bucket)
    LAYOUTS["CUR_2_0.csv.gz"].deliver(bucket)
    found = newest_deliveries(account_of(ExportKind.CUR_2_0), bucket)
    assert [each.kind for each in found.newest] == [ExportKind.CUR_2_0]
    assert found.unreadable == ()


def test_a_role_that_may_not_read_stops_all(bucket: FakeCustomerBucket) -> None:
    class Denied(FakeCustomerBucket):
        def read(self, *_: object) -> None:
            raise PermissionDenied("s3:GetObject is refused.")

    layout, denied = LAYOUTS["legacy"], Denied()
    layout.deliver(denied)
    with pytest.raises(PermissionDenied):
        newest_deliveries(layout.account, denied)


@each_layout
def test_data_files_are_never_listed(layout: Layout) -> None:
    listed = []

    class Watched(FakeCustomerBucket):
        def folders(self, bucket: str, folder: str):  # type: ignore[no-untyped-def]
            listed.append(folder)
            return super().folders(bucket, folder)

    bucket = Watched()
    layout.deliver(bucket)
    assert newest_deliveries(layout.account, bucket).newest
    data = layout.file(OCTOBER, "aaaa-1").rpartition("/")[0] + "/"
    assert data not in listed


def test_plans_files_as_they_are_and_as_often_as_listed(bucket: FakeCustomerBucket) -> None:
    layout = LAYOUTS["legacy"]
    key, file = layout.deliver(bucket)[0], layout.file(OCTOBER, "aaaa-1")
    delivery = replace(read_delivery(layout.account, bucket, BUCKET, key), file_keys=(file, file))
    stored = bucket.head(BUCKET, file)
    assert stored is not None
    files = planned_files(delivery, bucket)
    assert [(each.key, each.etag, each.size) for each in files] == [(file, stored.etag, 4)] * 2


def test_a_missing_file_is_named(bucket: FakeCustomerBucket) -> None:
    layout = LAYOUTS["legacy"]
    key, file = layout.deliver(bucket)[0], layout.file(OCTOBER, "aaaa-1")
    gone = file.replace("00001", "00002")
    delivery = replace(read_delivery(layout.account, bucket, BUCKET, key), file_keys=(file, gone))
    with pytest.raises(DeliveryError) as caught:
        planned_files(delivery, bucket)
    assert caught.value.details["file"] == f"s3://{BUCKET}/{gone}"


@pytest.mark.parametrize(
    ("key", "period"),
    [
        ("p/n/20261001-20261101/a/f", OCTOBER),
        ("p/n/n/year=2026/month=9/f", SEPTEMBER),
        ("p/n/data/BILLING_PERIOD=2026-10/f", OCTOBER),
        ("p/n/data/billing_period=2026-10/x/f", OCTOBER),
        ("billing_period=2026-10/f", OCTOBER),
        ("p/n/data/BILLING_PERIOD=2026-13/f", None),
        ("p/n/20261301-20270101/f", None),
        ("p/n/20261015-20261101/f", None),
        ("p/n/f", None),
        ("p/BILLING_PERIOD=2026-09/n/data/BILLING_PERIOD=2026-10/f", OCTOBER),
    ],
)
def test_a_folder_tells_its_period(key: str, period: BillingPeriod | None) -> None:
    assert period_of(key) == period
