"""What makes AWS deliver the bill: of the four kinds of export, the one that was chosen.

Each kind is a resource of its own with a condition, since an export's table cannot be changed: a
customer who chooses another kind gets a new export, and the old one goes.
"""

from aws_cdk import Aws, CfnResource, Fn
from aws_cdk import aws_bcmdataexports as dataexports
from aws_cdk import aws_cur as cur
from constructs import Construct

from cloudspend.accounts.model import ExportKind
from cloudspend.exports.tables import EXPORT_TABLES, SPLIT_COST, ExportTable
from stacks.customer_choices import EXPORTS, REPORT, Choices
from stacks.customer_parameters import Parameters

# Each delivery is in a folder of its own, so that none changes while it is read.
KEEP_EACH_DELIVERY = "CREATE_NEW_REPORT"


def export_of(
    scope: Construct, parameters: Parameters, chosen: Choices, policy: CfnResource
) -> str:
    """One resource for each kind, of which the customer's stack gets one at most: the one's name or
    ARN; for an export that was there before, its name.

    AWS tries to write to the bucket before it accepts an export, so that all come after `policy`.
    They name it next to the bucket and take the bucket: a resource that is there under a condition
    cannot be depended on otherwise.
    """
    name = parameters.bucket_name.value_as_string
    bucket = Fn.condition_if(
        chosen.bucket.logical_id, Fn.select(0, [name, policy.ref]), name
    ).to_string()
    report = _report(scope, parameters, chosen, bucket)
    made = Fn.condition_if(
        chosen.report.logical_id, report.ref, parameters.export_name.value_as_string
    ).to_string()
    for kind, condition in chosen.exports.items():
        export = _export(scope, parameters, chosen, kind, bucket)
        made = Fn.condition_if(condition.logical_id, export.attr_export_arn, made).to_string()
    return made


def _report(
    scope: Construct, parameters: Parameters, chosen: Choices, bucket: str
) -> cur.CfnReportDefinition:
    report = cur.CfnReportDefinition(
        scope,
        REPORT,
        report_name=parameters.export_name.value_as_string,
        time_unit="HOURLY",
        format="textORcsv",
        compression="GZIP",
        additional_schema_elements=["RESOURCES"],
        s3_bucket=bucket,
        s3_prefix=parameters.prefix.value_as_string,
        s3_region=Aws.REGION,
        # Without it late refunds and credits never arrive.
        refresh_closed_reports=True,
        report_versioning=KEEP_EACH_DELIVERY,
    )
    report.cfn_options.condition = chosen.report
    return report


def _export(
    scope: Construct, parameters: Parameters, chosen: Choices, kind: ExportKind, bucket: str
) -> dataexports.CfnExport:
    export = dataexports.CfnExport(
        scope,
        EXPORTS[kind],
        export=dataexports.CfnExport.ExportProperty(
            name=parameters.export_name.value_as_string,
            description="The bill as CloudSpend reads it",
            data_query=_query(EXPORT_TABLES[kind], parameters, chosen),
            destination_configurations=_destination(parameters, bucket),
            # With each update of AWS's own figures, at least once a day.
            refresh_cadence=dataexports.CfnExport.RefreshCadenceProperty(frequency="SYNCHRONOUS"),
        ),
    )
    export.cfn_options.condition = chosen.exports[kind]
    return export


def _query(
    table: ExportTable, parameters: Parameters, chosen: Choices
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
    parameters: Parameters, bucket: str
) -> dataexports.CfnExport.DestinationConfigurationsProperty:
    return dataexports.CfnExport.DestinationConfigurationsProperty(
        s3_destination=dataexports.CfnExport.S3DestinationProperty(
            s3_bucket=bucket,
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
