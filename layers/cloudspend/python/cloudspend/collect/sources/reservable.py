"""Services with reservations, by their names in Cost Explorer.

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
    """Return the filter for one service."""
    return {"Dimensions": {"Key": "SERVICE", "Values": [service]}}
