"""A bill as a legacy Cost and Usage Report: its columns, and its manifest."""

import hashlib
from typing import Any

from local.world.bill import Bill
from local.world.columns import aws_type
from local.world.cur2 import snake
from local.world.files import Form
from local.world.layouts import Report
from local.world.tables import Field, Table, Type

_TYPES = {
    "DateTime": Type.TIMESTAMP,
    "OptionalDateTime": Type.TIMESTAMP,
    "OptionalBigDecimal": Type.DOUBLE,
}
_COMPRESSIONS = {Form.GZIP: "GZIP", Form.ZIP: "ZIP", Form.PARQUET: "Parquet"}


def report_table(bill: Bill, form: Form) -> Table:
    """The bill's rows as they are. Parquet has typed columns with the names that Athena takes."""
    if form is not Form.PARQUET:
        return Table(tuple(Field(column, Type.STRING) for column in bill.columns), bill.files)
    fields = (
        Field(_athena_name(column), _TYPES.get(aws_type(column), Type.STRING))
        for column in bill.columns
    )
    return Table(tuple(fields), bill.files)


def manifest(
    report: Report, bill: Bill, assembly_id: str, report_keys: tuple[str, ...]
) -> dict[str, Any]:
    """The manifest's members. For Parquet the columns have Athena's names and types."""
    period = bill.period
    return {
        "assemblyId": assembly_id,
        "account": bill.payer,
        "columns": [_column(name, report.form) for name in bill.columns],
        "charset": "UTF-8",
        "compression": _COMPRESSIONS[report.form],
        "contentType": "Parquet" if report.form is Form.PARQUET else "text/csv",
        "reportId": hashlib.sha256(f"{report}".encode()).hexdigest(),
        "reportName": report.name,
        "billingPeriod": {
            "start": f"{period.start:%Y%m%dT%H%M%S}.000Z",
            "end": f"{period.end:%Y%m%dT%H%M%S}.000Z",
        },
        "bucket": report.bucket,
        "reportKeys": list(report_keys),
        "additionalArtifactKeys": [],
    }


def _athena_name(column: str) -> str:
    """`resourceTags/user:Name` becomes `resource_tags_user_name`, as Athena takes only these."""
    return snake(column).replace(":", "_")


def _column(name: str, form: Form) -> dict[str, str]:
    category, _, own = name.partition("/")
    if form is not Form.PARQUET:
        return {"category": category, "name": own, "type": aws_type(name)}
    kind = _TYPES.get(aws_type(name), Type.STRING)
    return {"category": category, "name": _athena_name(name), "type": kind.name}
