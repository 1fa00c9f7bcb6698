"""Paging: pages and elements in order, requested lazily, with the library's errors."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from cloudspend.aws.paging import elements, pages
from cloudspend.errors import TransientError


def test_elements_of_all_pages_are_yielded_in_order() -> None:
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        stub.add_response(
            "list_queues", {"QueueUrls": ["a", "b"], "NextToken": "2"}, {"QueueNamePrefix": "c"}
        )
        stub.add_response("list_queues", {}, {"QueueNamePrefix": "c", "NextToken": "2"})
        found = elements(sqs, "list_queues", "QueueUrls", "The queues", QueueNamePrefix="c")
        assert list(found) == ["a", "b"]
        stub.assert_no_pending_responses()


def test_a_page_is_requested_when_it_is_needed() -> None:
    s3 = boto3.client("s3")
    with Stubber(s3) as stub:
        stub.add_response(
            "list_objects_v2",
            {
                "Contents": [{"Key": "a", "LastModified": datetime(2026, 11, 1, tzinfo=UTC)}],
                "IsTruncated": True,
                "NextContinuationToken": "2",
            },
            {"Bucket": "lake"},
        )
        # The second page is not stubbed: to request it would raise.
        (first,) = next(iter(pages(s3, "list_objects_v2", "S3", Bucket="lake")))["Contents"]
    assert first["Key"] == "a"


def test_an_error_of_a_later_page_is_translated() -> None:
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        stub.add_response("list_queues", {"QueueUrls": ["a"], "NextToken": "2"})
        stub.add_client_error("list_queues", "ThrottlingException")
        found = elements(sqs, "list_queues", "QueueUrls", "The queues")
        assert next(found) == "a"
        with pytest.raises(TransientError, match=r"The queues asks to try later\."):
            next(found)
