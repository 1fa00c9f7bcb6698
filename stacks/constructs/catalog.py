"""The library's declared tables and views as resources of the Glue catalog."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cloudspend.lake.tables import Column, Table
from cloudspend.lake.views import View

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_INPUT = f"{_PARQUET}.MapredParquetInputFormat"
_OUTPUT = f"{_PARQUET}.MapredParquetOutputFormat"
_SERDE = f"{_PARQUET}.serde.ParquetHiveSerDe"


def parquet_table(
    scope: Construct, database: glue.CfnDatabase, bucket: s3.IBucket, table: Table
) -> glue.CfnTable:
    """A table over the Parquet files of its folder; its partitions are the platform's to point."""
    storage = glue.CfnTable.StorageDescriptorProperty(
        columns=_columns(table.columns),
        location=f"s3://{bucket.bucket_name}/{table.data_folder}/",
        input_format=_INPUT,
        output_format=_OUTPUT,
        serde_info=glue.CfnTable.SerdeInfoProperty(
            serialization_library=_SERDE, parameters={"serialization.format": "1"}
        ),
    )
    return _table(
        scope,
        database,
        glue.CfnTable.TableInputProperty(
            name=table.name,
            description=table.comment,
            table_type="EXTERNAL_TABLE",
            parameters={"classification": "parquet", "EXTERNAL": "TRUE"},
            partition_keys=_columns(table.partition_keys),
            storage_descriptor=storage,
        ),
    )


def presto_view(scope: Construct, database: glue.CfnDatabase, view: View) -> glue.CfnTable:
    """A view as Athena itself stores one."""
    return _table(
        scope,
        database,
        glue.CfnTable.TableInputProperty(
            name=view.name,
            description=view.comment,
            table_type="VIRTUAL_VIEW",
            parameters={"presto_view": "true", "comment": "Presto View"},
            view_original_text=view.original_text,
            view_expanded_text="/* Presto View */",
            storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                columns=_columns(view.columns),
                location="",
                serde_info=glue.CfnTable.SerdeInfoProperty(),
            ),
        ),
    )


def _table(
    scope: Construct, database: glue.CfnDatabase, table: glue.CfnTable.TableInputProperty
) -> glue.CfnTable:
    construct_id = "".join(word.capitalize() for word in str(table.name).split("_"))
    return glue.CfnTable(
        scope,
        construct_id,
        catalog_id=database.catalog_id,
        database_name=database.ref,
        table_input=table,
    )


def _columns(columns: tuple[Column, ...]) -> list[glue.CfnTable.ColumnProperty]:
    return [
        glue.CfnTable.ColumnProperty(
            name=column.name, type=column.type, comment=column.comment or None
        )
        for column in columns
    ]
