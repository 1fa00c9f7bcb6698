"""Paginated operations of AWS services."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cloudspend.aws.errors import aws_errors

if TYPE_CHECKING:
    from botocore.client import BaseClient


def pages(
    client: "BaseClient", operation: str, service: str = "AWS", /, **arguments: Any
) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of an operation, each requested when the caller asks for it.

    `operation` is the client's method, for example `list_objects_v2`; `service` begins the
    sentence of an error. Raises the errors of `aws_errors`.
    """
    paginator = client.get_paginator(operation)
    with aws_errors(service):
        yield from paginator.paginate(**arguments)


def elements(
    client: "BaseClient", operation: str, member: str, service: str = "AWS", /, **arguments: Any
) -> Iterator[Any]:
    """Yield the elements of `member` on all pages; a page without the member has none.

    Example: `elements(s3, "list_objects_v2", "Contents", "S3", Bucket="lake")` yields a mapping
    for each object of the bucket.
    """
    for page in pages(client, operation, service, **arguments):
        yield from page.get(member, ())
