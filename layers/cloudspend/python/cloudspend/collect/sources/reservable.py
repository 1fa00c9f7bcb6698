"""The services whose instances or nodes can be reserved, as Cost Explorer names them.

Source: AWS Cost Explorer API reference, GetReservationPurchaseRecommendation.
"""

SERVICES = (
    "Amazon Elastic Compute Cloud - Compute",
    "Amazon Relational Database Service",
    "Amazon ElastiCache",
    "Amazon Redshift",
    "Amazon OpenSearch Service",
)


def of_service(service: str) -> dict[str, object]:
    """The filter for one service."""
    return {"Dimensions": {"Key": "SERVICE", "Values": [service]}}
