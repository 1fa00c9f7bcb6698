"""Manifests: what is read, what is refused, and by what a kind is known."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudspend.accounts.model import ExportKind
from cloudspend.errors import DeliveryError
from cloudspend.exports.kinds import CUR_KINDS, EVERY_KIND, FOCUS_KINDS, kinds_of
from cloudspend.exports.manifest import (
    MANIFEST_LIMIT,
    delivery_of,
    is_manifest_of,
    read_manifest,
)
from cloudspend.exports.model import Delivery
from cloudspend.exports.ports import StoredObject
from cloudspend.exports.tables import EXPORT_TABLES
from tests.fakes.exports import DELIVERED, export_manifest, legacy_manifest
from tests.unit.exports.exports_world import (
    BUCKET,
    DATA_EXPORTS,
    LAYOUTS,
    OCTOBER,
    Layout,
    account_of,
)

LEGACY = LAYOUTS["legacy"]
LEGACY_KEY = LEGACY.manifests(OCTOBER, "aaaa-1")[0]
LEGACY_FILE = LEGACY.file(OCTOBER, "aaaa-1")
CUR_2_0 = LAYOUTS["CUR_2_0.csv.gz"]
EXPORT_KEY = CUR_2_0.manifests(OCTOBER, "aaaa-1")[0]
EXPORT_FILE = CUR_2_0.file(OCTOBER, "aaaa-1")
CUR_COLUMNS = EXPORT_TABLES[ExportKind.CUR_2_0].columns


def delivery(kind: ExportKind, key: str, body: bytes, etag: str = "etag") -> Delivery:
    stored = StoredObject(BUCKET, key, etag, len(body), DELIVERED)
    return delivery_of(account_of(kind), stored, body)


def legacy(**changes: Any) -> Delivery:
    body = legacy_manifest("aaaa-1", "20261001", [LEGACY_FILE], **changes)
    return delivery(ExportKind.CUR_LEGACY, LEGACY_KEY, body)


def exported(kind: ExportKind = ExportKind.CUR_2_0, **changes: Any) -> Delivery:
    given_files = changes.pop("dataFiles", [f"s3://{BUCKET}/{EXPORT_FILE}"])
    body = export_manifest("aaaa-1", EXPORT_TABLES[kind].columns, given_files, **changes)
    return delivery(kind, EXPORT_KEY, body)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_reads_what_aws_writes(layout: Layout) -> None:
    for key in layout.manifests(OCTOBER, "aaaa-1"):
        assert is_manifest_of(layout.account, BUCKET, key)
        found = delivery(layout.kind, key, layout.body(OCTOBER, "aaaa-1"))
        assert (found.kind, found.period) == (layout.kind, OCTOBER)
        assert (found.delivery_id, found.delivered_at) == ("aaaa-1", DELIVERED)
        assert found.file_keys == (layout.file(OCTOBER, "aaaa-1"),)
        assert found.compression == layout.compression


def test_columns_keep_their_order_and_types() -> None:
    assert legacy().columns == {"lineItem/UnblendedCost": "BigDecimal"}
    columns = [{"name": "bill_bill_type", "type": "string"}, "line_item_usage_type", {"name": 7}]
    assert dict(exported(columns=columns).columns) == {
        "bill_bill_type": "string",
        "line_item_usage_type": "",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"assemblyId": ""}, "has no assemblyId"),
        ({"assemblyId": "\ud800"}, "has no assemblyId"),
        ({"assemblyId": "a" * 2000}, "has no assemblyId"),
        ({"billingPeriod": {}}, "billingPeriod.start"),
        ({"billingPeriod": {"start": "October"}}, "October"),
        ({"reportKeys": {}}, "has no reportKeys"),
        ({"reportKeys": []}, "no files"),
        ({"reportKeys": [7]}, "no key: 7"),
        ({"reportKeys": ["elsewhere/file.csv.gz"]}, "elsewhere/file.csv.gz"),
        ({"reportKeys": ["cloudspend/bill/../secret.csv.gz"]}, "secret"),
        ({"reportKeys": ["cloudspend/bill//secret.csv.gz"]}, "secret"),
        ({"reportKeys": ["cloudspend/billing/file.csv.gz"]}, "outside"),
        ({"reportKeys": [LEGACY_FILE.replace("20261001-", "20260901-")]}, "another period"),
        ({"compression": "BROTLI"}, "BROTLI"),
        ({"compression": "", "reportKeys": ["cloudspend/bill/f.csv"]}, "none of .gz"),
        ({"bucket": "another-bucket"}, "another-bucket"),
        ({"account": "222222222222"}, "222222222222"),
    ],
)
def test_a_report_is_refused_for_what_is_missing_or_points_elsewhere(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DeliveryError) as caught:
        legacy(**changes)
    assert said in caught.value.summary
    assert LEGACY_KEY in caught.value.summary


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no dataFiles"),
        ([], "no files"),
        ([7], "no place: 7"),
        ([{"size": 3}], "no place: an object"),
        ([f"s3://another-bucket/{EXPORT_FILE}"], "outside the bucket"),
        ([{"bucket": "another-bucket", "key": EXPORT_FILE}], "outside the bucket"),
        ([f"s3://{BUCKET}/elsewhere/f.csv.gz"], "outside the export's folder"),
        ([f"s3://{BUCKET}/cloudspend/bill/data/../../x/f.csv.gz"], "outside"),
        ([f"s3://{BUCKET}"], "outside the export's folder"),
        ([EXPORT_FILE.replace("2026-10", "2026-09")], "another period"),
        (["cloudspend/bill/data/f.csv"], "none of .gz"),
        ([EXPORT_FILE, EXPORT_FILE.replace(".csv.gz", ".parquet")], "different formats"),
    ],
)
def test_an_export_is_refused_for_files_that_are_missing_or_elsewhere(
    files: Any, said: str
) -> None:
    with pytest.raises(DeliveryError) as caught:
        exported(dataFiles=files)
    # A kind of file that cannot be read is refused before its place is read.
    assert said in caught.value.summary or "none of .gz" in caught.value.summary
    assert EXPORT_KEY in caught.value.summary


@pytest.mark.parametrize(
    "file",
    [
        f"s3://{BUCKET}/{EXPORT_FILE}",
        EXPORT_FILE,
        {"key": EXPORT_FILE},
        {"bucket": BUCKET, "key": EXPORT_FILE, "size": 7},
        {"s3Uri": f"s3://{BUCKET}/{EXPORT_FILE}"},
    ],
)
def test_every_form_of_a_file_that_was_seen_is_read(file: Any) -> None:
    assert exported(dataFiles=[file]).file_keys == (EXPORT_FILE,)


@pytest.mark.parametrize(
    "said",
    [{"start": "2026-10-01T00:00:00.000Z"}, {"start": "20261001T000000.000Z"}, "2026-10", None, 7],
)
def test_the_period_is_the_folder_s_and_the_manifest_agrees(said: Any) -> None:
    assert exported(billingPeriod=said).period == OCTOBER


@pytest.mark.parametrize("said", ["2026-09", {"start": "2026-13-01"}])
def test_a_period_that_is_another_or_none_is_refused(said: Any) -> None:
    with pytest.raises(DeliveryError, match="2026"):
        exported(billingPeriod=said)


def test_a_manifest_without_any_period_says_so() -> None:
    body = export_manifest("aaaa-1", CUR_COLUMNS, ["f.csv.gz"])
    with pytest.raises(DeliveryError, match="has no billing period"):
        read_manifest("./Manifest.json", body)
    assert read_manifest("./BILLING_PERIOD=2026-10/m.json", body).period == OCTOBER


def test_without_an_execution_id_the_etag_tells_deliveries_apart() -> None:
    body = export_manifest("", CUR_COLUMNS, [EXPORT_FILE])
    first, again, other = (
        delivery(ExportKind.CUR_2_0, EXPORT_KEY, body, etag) for etag in ("e1", "e1", "e2")
    )
    assert first.generation == again.generation != other.generation


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"\xff", b"7", b"[" * 100_000, b'{"dataFiles": ' + b"[" * 100_000],
)
def test_refuses_what_is_no_manifest(body: bytes) -> None:
    with pytest.raises(DeliveryError, match=r"bill-Manifest\.json"):
        delivery(ExportKind.CUR_LEGACY, LEGACY_KEY, body)


def test_says_what_stands_there_instead() -> None:
    with pytest.raises(DeliveryError, match=r"neither reportKeys .* nor dataFiles .*, but entries"):
        delivery(ExportKind.CUR_LEGACY, LEGACY_KEY, b'{"entries": [], "version": 3}')


def test_a_manifest_is_read_up_to_its_limit() -> None:
    body = legacy_manifest("aaaa-1", "20261001", [LEGACY_FILE])
    padded = body + b" " * (MANIFEST_LIMIT - len(body))
    assert read_manifest("m.json", padded).period == OCTOBER
    with pytest.raises(DeliveryError, match="more than 16777216"):
        read_manifest("m.json", padded + b" ")


@pytest.mark.parametrize("delivered", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("configured", ExportKind)
def test_another_kind_than_configured_is_named_with_what_to_do(
    delivered: Layout, configured: ExportKind
) -> None:
    key, body = delivered.manifests(OCTOBER, "a")[0], delivered.body(OCTOBER, "a")
    if configured is delivered.kind:
        assert delivery(configured, key, body).kind is configured
        return
    with pytest.raises(DeliveryError) as caught:
        delivery(configured, key, body)
    assert (caught.value.details["found"], caught.value.details["expected"]) == (
        str(delivered.kind),
        str(configured),
    )
    assert str(configured) in caught.value.summary
    assert f"ExportKind {delivered.kind}" in caught.value.remedy


def test_a_selection_of_columns_may_be_of_either_focus_version() -> None:
    columns = [{"name": name} for name in ("BilledCost", "ServiceName")]
    for kind in FOCUS_KINDS:
        assert exported(kind, columns=columns).kind is kind
    with pytest.raises(DeliveryError, match=r"FOCUS 1\.0 export or a FOCUS 1\.2 export"):
        exported(ExportKind.CUR_2_0, columns=columns)


@pytest.mark.parametrize("kind", DATA_EXPORTS)
def test_without_columns_the_configured_kind_is_believed(kind: ExportKind) -> None:
    assert exported(kind, columns="").kind is kind
    with pytest.raises(DeliveryError, match="no columns"):
        delivery(ExportKind.CUR_LEGACY, EXPORT_KEY, export_manifest("a", [], [EXPORT_FILE]))


def test_a_query_that_takes_maps_apart_is_still_cur_2_0() -> None:
    columns = [{"name": "line_item_unblended_cost"}, {"name": "product_product_name"}]
    assert exported(columns=columns).kind is ExportKind.CUR_2_0


@pytest.mark.parametrize("names", [["recommendation_id", "account_id"], ["x" * 500]])
def test_exports_of_something_else_are_refused(names: list[str]) -> None:
    with pytest.raises(DeliveryError, match=f"columns like {names[0][:60]}.* of no cost export"):
        exported(columns=[{"name": name} for name in names])


@pytest.mark.parametrize(
    ("columns", "kinds"),
    [
        ([], EVERY_KIND),
        (["identity/LineItemId"], {ExportKind.CUR_LEGACY}),
        (["resourceTags/user:Name"], {ExportKind.CUR_LEGACY}),
        (["line_item_usage_type"], CUR_KINDS),
        (["LINE_ITEM_USAGE_TYPE", "RESOURCE_TAGS"], {ExportKind.CUR_2_0}),
        (["line_item_usage_type", "resource_tags_user_name"], {ExportKind.CUR_LEGACY}),
        (["bill_payer_account_id", "product_product_name"], {ExportKind.CUR_LEGACY}),
        (["bill_payer_account_id", "product_servicecode"], CUR_KINDS),
        (["BilledCost"], FOCUS_KINDS),
        (["billedcost", "x_usagetype"], {ExportKind.FOCUS_1_0}),
        (["BilledCost", "InvoiceId"], {ExportKind.FOCUS_1_2}),
        (["BilledCost", "x_UsageType", "SkuMeter"], {ExportKind.FOCUS_1_2}),
        (["recommendation_id"], set()),
    ],
)
def test_a_kind_is_known_by_its_columns(columns: list[str], kinds: set[ExportKind]) -> None:
    assert kinds_of(columns) == kinds


@pytest.mark.parametrize("kind", DATA_EXPORTS)
def test_every_table_of_aws_is_known_by_its_columns(kind: ExportKind) -> None:
    table = EXPORT_TABLES[kind]
    assert kinds_of(table.columns) == {kind}
    assert kinds_of([*table.columns, *table.split_cost_columns]) == {kind}
    assert len(set(table.columns)) == len(table.columns)


@pytest.mark.parametrize(
    ("kind", "count"),
    [(ExportKind.CUR_2_0, 125), (ExportKind.FOCUS_1_0, 48), (ExportKind.FOCUS_1_2, 60)],
)
def test_tables_have_as_many_columns_as_aws_says(kind: ExportKind, count: int) -> None:
    table = EXPORT_TABLES[kind]
    assert len(table.columns) + len(table.split_cost_columns) == count


@pytest.mark.parametrize(
    ("bucket", "key", "expected"),
    [
        (BUCKET, LEGACY_KEY, True),
        (BUCKET, EXPORT_KEY, True),
        ("another-bucket", LEGACY_KEY, False),
        (BUCKET, LEGACY_FILE, False),
        (BUCKET, LEGACY_KEY.replace("cloudspend/", "other/", 1), False),
        (BUCKET, EXPORT_KEY.replace("bill-Manifest", "other-Manifest"), False),
        (BUCKET, LEGACY_KEY.replace("20261001-20261101", ".."), False),
    ],
)
def test_knows_a_manifest_by_its_name(bucket: str, key: str, expected: bool) -> None:
    assert is_manifest_of(LEGACY.account, bucket, key) is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    whole=st.sampled_from(
        [
            (ExportKind.CUR_LEGACY, LEGACY_KEY, LEGACY.body(OCTOBER, "aaaa-1")),
            (ExportKind.CUR_2_0, EXPORT_KEY, CUR_2_0.body(OCTOBER, "aaaa-1")),
        ]
    ),
    data=st.data(),
)
def test_wrong_types_anywhere_are_read_or_refused_never_a_crash(
    whole: tuple[ExportKind, str, bytes], data: st.DataObject
) -> None:
    kind, key, body = whole
    content = json.loads(body)
    for name in data.draw(st.sets(st.sampled_from(sorted(content)), min_size=1)):
        content[name] = data.draw(JSON)
        if isinstance(content[name], list) and content[name]:
            wrap = data.draw(st.sampled_from(["key", "name", "category", "s3Uri"]))
            content[name] = [{wrap: each} for each in content[name]]
    found, refusal = None, ""
    try:
        found = delivery(kind, key, json.dumps(content).encode())
    except DeliveryError as error:
        refusal = str(error)
    # What is read or said can be written down: half a surrogate pair could not be.
    refusal.encode()
    if found is None:
        assert key in refusal
    else:
        assert f"{found.generation} {found.delivery_id}".encode()
        assert all(each.startswith("cloudspend/bill/") for each in found.file_keys)
