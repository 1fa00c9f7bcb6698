"""Cost Explorer's words for what a bill names in codes.

Services: what Cost Explorer shows for a product code (AWS Cost Management user guide; the names are
those of `GetDimensionValues`). Charge types: the billing user guide's "Term comparisons".
"""

import re

COMPUTE = "Amazon Elastic Compute Cloud - Compute"
EC2_OTHER = "EC2 - Other"
TAX = "Tax"

# Hours of instances, hosts and their reservations; everything else of EC2 is "EC2 - Other".
_INSTANCE_HOURS = re.compile(
    r"(^|-)(BoxUsage|SpotUsage|HeavyUsage|MediumUsage|LightUsage|DedicatedUsage|HostUsage"
    r"|HostBoxUsage|ReservedHostUsage|SchedUsage|UnusedBox|UnusedDed|DedicatedRes|Reservation)(:|$)"
)

SERVICES = {
    "AWSBackup": "AWS Backup",
    "AWSCloudTrail": "AWS CloudTrail",
    "AWSCostExplorer": "AWS Cost Explorer",
    "AWSDataTransfer": "AWS Data Transfer",
    "AWSELB": "Amazon Elastic Load Balancing",
    "AWSEvents": "CloudWatch Events",
    "AWSGlue": "AWS Glue",
    "AWSLambda": "AWS Lambda",
    "AWSQueueService": "Amazon Simple Queue Service",
    "AWSSecretsManager": "AWS Secrets Manager",
    "AWSSupportBusiness": "AWS Support (Business)",
    "AWSSupportEnterprise": "AWS Support (Enterprise)",
    "AmazonApiGateway": "Amazon API Gateway",
    "AmazonAthena": "Amazon Athena",
    "AmazonCloudFront": "Amazon CloudFront",
    "AmazonCloudWatch": "AmazonCloudWatch",
    "AmazonDynamoDB": "Amazon DynamoDB",
    "AmazonECR": "Amazon EC2 Container Registry (ECR)",
    "AmazonECS": "Amazon Elastic Container Service",
    "AmazonEFS": "Amazon Elastic File System",
    "AmazonEKS": "Amazon Elastic Container Service for Kubernetes",
    "AmazonES": "Amazon OpenSearch Service",
    "AmazonElastiCache": "Amazon ElastiCache",
    "AmazonRDS": "Amazon Relational Database Service",
    "AmazonRedshift": "Amazon Redshift",
    "AmazonRoute53": "Amazon Route 53",
    "AmazonS3": "Amazon Simple Storage Service",
    "AmazonSNS": "Amazon Simple Notification Service",
    "AmazonStates": "AWS Step Functions",
    "AmazonVPC": "Amazon Virtual Private Cloud",
    "ComputeSavingsPlans": "Savings Plans for AWS Compute usage",
    "awskms": "AWS Key Management Service",
}

# Charge types that Cost Explorer has words for; it names the others as the bill does.
RECORD_TYPES = {
    "BundledDiscount": "Bundled Discount",
    "EdpDiscount": "Enterprise Discount Program Discount",
    "PrivateRateDiscount": "Private Rate Card Discount",
    "SppDiscount": "Solution Provider Program Discount",
}


def service(product_code: str, usage_type: str, charge_type: str, product_name: str) -> str:
    """Cost Explorer's SERVICE. Taxes are a service of their own; Marketplace products and codes
    that the table does not have go by the product's name on the bill."""
    if charge_type == TAX:
        return TAX
    if product_code == "AmazonEC2":
        return COMPUTE if _INSTANCE_HOURS.search(usage_type) else EC2_OTHER
    return SERVICES.get(product_code) or product_name or product_code


def record_type(charge_type: str) -> str:
    """Cost Explorer's RECORD_TYPE for the bill's line item type."""
    return RECORD_TYPES.get(charge_type, charge_type)
