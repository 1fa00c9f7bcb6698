"""The exports of an account, through the checks against AWS's model."""

import json
from typing import Any

import pytest
from ministack.services import s3

from local.billing import data_exports
from local.billing.data_exports import HANDLERS
from local.services import ServiceError, respond
from local.world.tables import published
from tests.unit.local_billing.a_bill import MEMBER, PAYER

BUCKET = "a-bucket"
TABLE = "COST_AND_USAGE_REPORT"


@pytest.fixture(autouse=True)
def _bucket() -> Any:
    """A bucket whose policy lets Data Exports in."""
    s3._bucket_policies[BUCKET] = json.dumps({"Service": data_exports.DELIVERY})
    yield
    del s3._bucket_policies[BUCKET]


def export(name: str = "cloudspend", table: str = TABLE, **changes: Any) -> dict[str, Any]:
    columns = ", ".join(field.name for field in published(table))
    return {
        "Name": name,
        "DataQuery": {
            "QueryStatement": f"SELECT {columns} FROM {table}",
            "TableConfigurations": {table: {}},
        },
        "DestinationConfigurations": {
            "S3Destination": {
                "S3Bucket": BUCKET,
                "S3Prefix": "cloudspend",
                "S3Region": "us-east-1",
                "S3OutputConfigurations": {
                    "OutputType": "CUSTOM",
                    "Format": "PARQUET",
                    "Compression": "PARQUET",
                    "Overwrite": "OVERWRITE_REPORT",
                },
            }
        },
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
        **changes,
    }


def ask(operation: str, account: str = PAYER, **request: Any) -> dict[str, Any]:
    body = json.dumps(request).encode()
    status, _, answer = respond("bcm-data-exports", HANDLERS, operation, account, body)
    found: dict[str, Any] = json.loads(answer)
    assert (status == 200) == ("__type" not in found), found
    return found


def created(**changes: Any) -> str:
    return str(ask("CreateExport", Export=export(**changes))["ExportArn"])


def test_an_export_is_there_for_its_account_alone() -> None:
    arn = created()
    (found,) = ask("ListExports")["Exports"]
    assert (found["ExportArn"], found["ExportName"]) == (arn, "cloudspend")
    assert found["ExportStatus"]["StatusCode"] == "HEALTHY"
    assert ask("ListExports", MEMBER) == {"Exports": []}
    assert ask("GetExport", ExportArn=arn)["Export"]["Name"] == "cloudspend"
    assert ask("GetExport", MEMBER, ExportArn=arn)["__type"] == "ResourceNotFoundException"


def test_an_export_is_changed_and_deleted() -> None:
    arn = created()
    ask("UpdateExport", ExportArn=arn, Export=export(Description="changed"))
    assert ask("GetExport", ExportArn=arn)["Export"]["Description"] == "changed"
    ask("DeleteExport", ExportArn=arn)
    assert ask("DeleteExport", ExportArn=arn)["__type"] == "ResourceNotFoundException"


def query(statement: str, configured: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"QueryStatement": statement, "TableConfigurations": configured or {}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (query("SELECT * FROM COST_AND_USAGE_REPORT"), "has no columns *"),
        (query("SELECT bill_bill_type FROM ORDERS"), "no table"),
        (query("SELECT bill_bill_type, colour FROM COST_AND_USAGE_REPORT"), "colour"),
        (query("SELECT BilledCost FROM FOCUS_1_2_AWS", {TABLE: {}}), TABLE),
        (
            query("SELECT BilledCost FROM FOCUS_1_0_AWS", {"FOCUS_1_0_AWS": {"A": "B"}}),
            "has no A",
        ),
    ],
)
def test_a_query_that_aws_does_not_run_is_refused(wrong: dict[str, Any], said: str) -> None:
    answer = ask("CreateExport", Export=export(DataQuery=wrong))
    assert answer["__type"] == "ValidationException"
    assert said in answer["message"]


def test_columns_that_the_configuration_adds_can_be_selected() -> None:
    statement = "SELECT product.region, split_line_item_split_cost, tags FROM COST_AND_USAGE_REPORT"
    assert created(DataQuery=query(statement))


def test_the_bucket_must_let_the_delivery_in_first() -> None:
    s3._bucket_policies[BUCKET] = "{}"
    answer = ask("CreateExport", Export=export())
    assert (answer["__type"], data_exports.DELIVERY in answer["message"]) == (
        "ValidationException",
        True,
    )


def test_format_and_compression_go_together() -> None:
    changed = export()
    output = changed["DestinationConfigurations"]["S3Destination"]["S3OutputConfigurations"]
    output["Compression"] = "GZIP"
    assert ask("CreateExport", Export=changed)["__type"] == "ValidationException"


@pytest.mark.parametrize(("table", "most"), data_exports.MOST_EXPORTS.items())
def test_names_are_unique_and_tables_have_quotas(table: str, most: int) -> None:
    for number in range(most):
        created(name=f"export-{number}", table=table)
    again = ask("CreateExport", Export=export("export-0", table))
    assert again["__type"] == "ValidationException"
    more = ask("CreateExport", Export=export("another", table))
    assert more["__type"] == "ServiceQuotaExceededException"


def test_a_stack_creates_and_removes_its_export() -> None:
    arn = data_exports.create_for_stack(PAYER, {"Export": export()})
    assert ask("GetExport", ExportArn=arn)["Export"]["ExportArn"] == arn
    data_exports.delete_for_stack(PAYER, arn)
    data_exports.delete_for_stack(PAYER, arn)
    assert ask("ListExports") == {"Exports": []}
    with pytest.raises(ServiceError, match="RefreshCadence"):
        data_exports.create_for_stack(PAYER, {"Export": export(RefreshCadence={})})


def stated(execution: str, status: str, **more: str) -> tuple[int, object]:
    note = {"account": PAYER, "name": "cloudspend", "execution": execution, "status": status}
    return data_exports.door("PUT", json.dumps({**note, **more}).encode())


def test_executions_are_what_the_world_says_of_its_deliveries() -> None:
    arn = created()
    assert stated("first", "DELIVERY_SUCCESS")[0] == 200
    assert stated("second", "DELIVERY_FAILURE", reason="INSUFFICIENT_PERMISSION")[0] == 200
    executions = ask("ListExecutions", ExportArn=arn)["Executions"]
    assert [each["ExecutionId"] for each in executions] == ["second", "first"]
    found = ask("GetExecution", ExportArn=arn, ExecutionId="second")
    assert found["ExecutionStatus"]["StatusReason"] == "INSUFFICIENT_PERMISSION"
    assert found["Export"]["Name"] == "cloudspend"
    missing = ask("GetExecution", ExportArn=arn, ExecutionId="third")
    assert missing["__type"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "body",
    [b"{}", b"no json", json.dumps({"account": PAYER, "name": "none"}).encode()],
)
def test_what_is_no_execution_is_refused(body: bytes) -> None:
    created()
    assert data_exports.door("PUT", body)[0] == 400
    assert stated("third", "DONE")[0] == 400
    assert data_exports.door("GET", b"")[0] == 405


def test_tables_have_the_columns_that_are_delivered() -> None:
    tables = ask("ListTables")["Tables"]
    assert [table["TableName"] for table in tables] == list(data_exports.MOST_EXPORTS)
    answer = ask("GetTable", TableName=TABLE, TableProperties={"INCLUDE_RESOURCES": "TRUE"})
    assert {"Name": "resource_tags", "Type": "map<string,string>"} in answer["Schema"]
    assert answer["TableProperties"]["INCLUDE_RESOURCES"] == "TRUE"
    assert ask("GetTable", TableName="ORDERS")["__type"] == "ValidationException"
