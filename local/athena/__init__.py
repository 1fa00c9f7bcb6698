"""Athena for the local cloud: Trino's SQL over the Glue catalog, run by DuckDB.

ministack's own Athena reads every file under a table's location and knows neither partitions nor
views. `install` replaces its query execution:

    statements, dialect   what a query asks for; Athena's SQL as DuckDB's
    catalog, objects      what it can read: a snapshot of Glue, files in S3
    relations, engine     partitions as relations, pruning, scanned bytes
    scoping               what DuckDB would let pass and Trino does not
    writes, describe      statements that write, SHOW and DESCRIBE
    workgroups            where results go, limits
    executions, answers   the API
    server                ministack's stores behind it
    permissions           which workgroup IAM judges a request on

**Permissions.** A query needs the caller's permission for `athena:` only. What it then reads of
Glue and S3 is not checked against IAM: a role without `s3:GetObject` on the lake can query it
here, and cannot on AWS. Tables that are not Parquet are refused.
"""


def install() -> None:
    """Put this Athena onto ministack's seams. Raises SeamMissing where one is not there."""
    from ministack.services import athena  # noqa: PLC0415 - importing the package starts no server

    from local.athena import answers, executions, permissions  # noqa: PLC0415
    from local.cloud import seams  # noqa: PLC0415

    for name, function in (
        ("_start_query_execution", executions.start),
        ("_get_query_results", answers.results),
        ("_stop_query_execution", executions.stop),
    ):
        answer = answers.answering(function)
        seams.around(athena, name, lambda _, request, answer=answer: answer(request))
    seams.around(athena, "_get_workgroup", answers.describe_workgroup)
    permissions.install()
