"""Deliveries that are damaged in one known way.

Bills and assemblies are values, so that damage makes another one; what AWS itself knows (the
ledger) stays true:

    post_ledger(bill, endpoint)
    write(truncated(assemble(bill, report), 2), session)

Files, and rows within a file, count from 1 as a person counts them (the header is line 1 of a file,
and row 1 is line 2).
"""

import gzip
from dataclasses import replace

import boto3

from local.world.bill import Bill
from local.world.delivery import Assembly


def with_cost(bill: Bill, file: int, row: int, text: str = "n/a") -> Bill:
    """A cost that is `text`."""
    return bill.with_value(file - 1, row - 1, "lineItem/UnblendedCost", text)


def outside_period(bill: Bill, file: int, row: int) -> Bill:
    """A row that says it belongs to the month before."""
    other = f"{bill.period.previous.start:%Y-%m-%dT%H:%M:%SZ}"
    return bill.with_value(file - 1, row - 1, "bill/BillingPeriodStartDate", other)


def truncated(assembly: Assembly, file: int) -> Assembly:
    """A data file that ends in its middle."""
    key = key_of(assembly, file)
    whole = assembly.data[key]
    return replace(assembly, data={**assembly.data, key: whole[: len(whole) // 2]})


def without_file(assembly: Assembly, file: int) -> Assembly:
    """A data file that the manifest names and no one wrote."""
    key = key_of(assembly, file)
    return replace(assembly, data={k: v for k, v in assembly.data.items() if k != key})


def left_out(assembly: Assembly, file: int) -> Assembly:
    """A data file that neither the manifest nor the bucket has: the bill is short by its rows."""
    key = key_of(assembly, file)
    kept = tuple(each for each in assembly.report_keys if each != key)
    return replace(without_file(assembly, file), report_keys=kept)


def listed_twice(assembly: Assembly, file: int) -> Assembly:
    """A data file that the manifest names two times."""
    return replace(assembly, report_keys=(*assembly.report_keys, key_of(assembly, file)))


def delivered_twice(assembly: Assembly, file: int) -> Assembly:
    """The same rows in two files, under two names, both in the manifest."""
    key = key_of(assembly, file)
    form = assembly.report.form
    copy = f"{key.removesuffix(form)}-again{form}"
    return replace(
        assembly,
        data={**assembly.data, copy: assembly.data[key]},
        report_keys=(*assembly.report_keys, copy),
    )


def overwrite(assembly: Assembly, file: int, session: boto3.Session) -> str:
    """Replace a data file that was delivered by one without its last row; returns the new ETag."""
    key = key_of(assembly, file)
    lines = gzip.decompress(assembly.data[key]).splitlines(keepends=True)
    answer = session.client("s3").put_object(
        Bucket=assembly.report.bucket, Key=key, Body=gzip.compress(b"".join(lines[:-1]), mtime=0)
    )
    return str(answer["ETag"])


def key_of(assembly: Assembly, file: int) -> str:
    """The key of data file `file`, counted from 1. Raises IndexError when there is none."""
    return list(assembly.data)[file - 1]
