"""What makes AWS deliver the bill: of the four kinds of export, the one that was chosen.

Each kind is a resource of its own with a condition, since an export's table cannot be changed: a
customer who chooses another kind gets a new export, and the old one goes.
"""

from aws_cdk import Aws, CfnCondition, CfnResource, Fn, ICfnConditionExpression
from aws_cdk import aws_bcmdataexports as dataexports
from aws_cdk import aws_cur as cur
from constructs import Construct

from cloudspend.accounts.model import ExportKind
from cloudspend.exports.tables import EXPORT_TABLES, SPLIT_COST, ExportTable
from stacks.customer_parameters import SPLIT_COST_CHOICES, Parameters

# Each delivery stands in a folder of its own, so that none changes while it is read.
KEEP_EACH_DELIVERY = "CREATE_NEW_REPORT"

_NAMES = {
    ExportKind.CUR_2_0: "CostAndUsageExport",
    ExportKind.FOCUS_1_0: "FocusOneZeroExport",
    ExportKind.FOCUS_1_2: "FocusOneTwoExport",
}


class Chosen:
    """Conditions: which kind of export the parameters ask for."""

    def __init__(self, scope: Construct, parameters: Parameters) -> None:
        kind = parameters.export_kind.value_as_string

        def when(name: str, expression: ICfnConditionExpression) -> CfnCondition:
            return CfnCondition(scope, name, expression=expression)

        legacy = Fn.condition_equals(kind, str(ExportKind.CUR_LEGACY))
        self.report = when("ReportIsChosen", legacy)
        self.export = when("ExportIsChosen", Fn.condition_not(legacy))
        self.exports = {
            each: when(f"{name}IsChosen", Fn.condition_equals(kind, str(each)))
            for each, name in _NAMES.items()
        }
        self.split_cost = when(
            "SplitCostIsChosen",
            Fn.condition_equals(parameters.split_cost.value_as_string, SPLIT_COST_CHOICES[1]),
        )


def export_of(scope: Construct, parameters: Parameters, chosen: Chosen, policy: CfnResource) -> str:
    """One resource for each kind, of which the customer's stack gets one: the one's name or ARN.

    AWS tries to write to the bucket before it accepts an export, so that all come after `policy`.
    """
    report = _report(scope, parameters, chosen)
    report.add_resource_dependency(policy)
    made = report.ref
    for kind, condition in chosen.exports.items():
        export = _export(scope, parameters, chosen, kind)
        export.add_resource_dependency(policy)
        made = Fn.condition_if(condition.logical_id, export.attr_export_arn, made).to_string()
    return made


def _report(scope: Construct, parameters: Parameters, chosen: Chosen) -> cur.CfnReportDefinition:
    report = cur.CfnReportDefinition(
        scope,
        "CostAndUsageReport",
        report_name=parameters.export_name.value_as_string,
        time_unit="HOURLY",
        format="textORcsv",
        compression="GZIP",
        additional_schema_elements=["RESOURCES"],
        s3_bucket=parameters.bucket_name.value_as_string,
        s3_prefix=parameters.prefix.value_as_string,
        s3_region=Aws.REGION,
        # Without it late refunds and credits never arrive.
        refresh_closed_reports=True,
        report_versioning=KEEP_EACH_DELIVERY,
    )
    report.cfn_options.condition = chosen.report
    return report


def _export(
    scope: Construct, parameters: Parameters, chosen: Chosen, kind: ExportKind
) -> dataexports.CfnExport:
    export = dataexports.CfnExport(
        scope,
        _NAMES[kind],
        export=dataexports.CfnExport.ExportProperty(
            name=parameters.export_name.value_as_string,
            description="The bill as CloudSpend reads it",
            data_query=_query(EXPORT_TABLES[kind], parameters, chosen),
            destination_configurations=_destination(parameters),
            # With each update of AWS's own figures, at least once a day.
            refresh_cadence=dataexports.CfnExport.RefreshCadenceProperty(frequency="SYNCHRONOUS"),
        ),
    )
    export.cfn_options.condition = chosen.exports[kind]
    return export


def _query(
    table: ExportTable, parameters: Parameters, chosen: Chosen
) -> dataexports.CfnExport.DataQueryProperty:
    statement, configuration = table.query(), dict(table.configuration)
    if table.split_cost_columns:
        # The table has these columns only while it is configured to have them.
        statement = Fn.condition_if(
            chosen.split_cost.logical_id, table.query(split_cost=True), statement
        ).to_string()
        configuration[SPLIT_COST] = parameters.split_cost.value_as_string
    return dataexports.CfnExport.DataQueryProperty(
        query_statement=statement,
        table_configurations={table.name: configuration} if configuration else None,
    )


def _destination(
    parameters: Parameters,
) -> dataexports.CfnExport.DestinationConfigurationsProperty:
    return dataexports.CfnExport.DestinationConfigurationsProperty(
        s3_destination=dataexports.CfnExport.S3DestinationProperty(
            s3_bucket=parameters.bucket_name.value_as_string,
            s3_prefix=parameters.prefix.value_as_string,
            s3_region=Aws.REGION,
            s3_output_configurations=dataexports.CfnExport.S3OutputConfigurationsProperty(
                output_type="CUSTOM",
                # Text in gzip can be checked to its last byte; Parquet need not bear a checksum.
                format="TEXT_OR_CSV",
                compression="GZIP",
                overwrite=KEEP_EACH_DELIVERY,
            ),
        )
    )
