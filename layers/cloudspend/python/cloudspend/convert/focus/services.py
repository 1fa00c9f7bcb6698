"""AWS services by product code, in FOCUS's service categories.

Categories and subcategories are the allowed values of FOCUS 1.2 (ServiceSubcategory). The
assignment of services to categories is CloudSpend's reading of each service's main purpose. The
names are AWS's, and only used where a line item has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service's name, FOCUS category and subcategory."""

    name: str
    category: str
    subcategory: str


def _services(category: str, *services: tuple[str, str, str]) -> dict[str, Service]:
    return {code: Service(name, category, kind) for code, name, kind in services}


SERVICES: Mapping[str, Service] = {
    **_services(
        "AI and Machine Learning",
        ("AmazonBedrock", "Amazon Bedrock", "Generative AI"),
        ("AmazonSageMaker", "Amazon SageMaker", "AI Platforms"),
        ("AmazonRekognition", "Amazon Rekognition", "Machine Learning"),
        ("comprehend", "Amazon Comprehend", "Natural Language Processing"),
    ),
    **_services(
        "Analytics",
        ("AmazonAthena", "Amazon Athena", "Analytics Platforms"),
        ("AmazonES", "Amazon OpenSearch Service", "Search"),
        ("AmazonKinesis", "Amazon Kinesis", "Streaming Analytics"),
        ("AmazonKinesisFirehose", "Amazon Kinesis Firehose", "Streaming Analytics"),
        ("AmazonQuickSight", "Amazon QuickSight", "Business Intelligence"),
        ("AWSGlue", "AWS Glue", "Data Processing"),
        ("ElasticMapReduce", "Amazon Elastic MapReduce", "Data Processing"),
    ),
    **_services(
        "Compute",
        ("AmazonEC2", "Amazon Elastic Compute Cloud", "Virtual Machines"),
        ("AmazonLightsail", "Amazon Lightsail", "Virtual Machines"),
        ("AmazonECS", "Amazon Elastic Container Service", "Containers"),
        ("AmazonECR", "Amazon EC2 Container Registry (ECR)", "Containers"),
        ("AmazonEKS", "Amazon Elastic Container Service for Kubernetes", "Containers"),
        ("AmazonWorkSpaces", "Amazon WorkSpaces", "End User Computing"),
        ("AWSLambda", "AWS Lambda", "Serverless Compute"),
        ("ComputeSavingsPlans", "Savings Plans for AWS Compute usage", "Other (Compute)"),
    ),
    **_services(
        "Databases",
        ("AmazonDocDB", "Amazon DocumentDB (with MongoDB compatibility)", "NoSQL Databases"),
        ("AmazonDynamoDB", "Amazon DynamoDB", "NoSQL Databases"),
        ("AmazonElastiCache", "Amazon ElastiCache", "Caching"),
        ("AmazonNeptune", "Amazon Neptune", "NoSQL Databases"),
        ("AmazonRDS", "Amazon Relational Database Service", "Relational Databases"),
        ("AmazonRedshift", "Amazon Redshift", "Data Warehouses"),
        ("AmazonTimestream", "Amazon Timestream", "Time Series Databases"),
    ),
    **_services(
        "Developer Tools",
        ("AWSXRay", "AWS X-Ray", "Other (Developer Tools)"),
        ("CodeBuild", "AWS CodeBuild", "Continuous Integration and Deployment"),
        ("AWSCodePipeline", "AWS CodePipeline", "Continuous Integration and Deployment"),
    ),
    **_services(
        "Identity",
        ("AmazonCognito", "Amazon Cognito", "Identity and Access Management"),
        ("AWSDirectoryService", "AWS Directory Service", "Identity and Access Management"),
    ),
    **_services(
        "Integration",
        ("AmazonApiGateway", "Amazon API Gateway", "API Management"),
        ("AmazonMQ", "Amazon MQ", "Messaging"),
        ("AmazonMSK", "Amazon Managed Streaming for Apache Kafka", "Messaging"),
        ("AmazonSNS", "Amazon Simple Notification Service", "Messaging"),
        ("AmazonStates", "AWS Step Functions", "Workflow Orchestration"),
        ("AWSEvents", "CloudWatch Events", "Messaging"),
        ("AWSQueueService", "Amazon Simple Queue Service", "Messaging"),
    ),
    **_services(
        "Management and Governance",
        ("AmazonCloudWatch", "AmazonCloudWatch", "Observability"),
        ("AWSBudgets", "AWS Budgets", "Cost Management"),
        ("AWSCloudTrail", "AWS CloudTrail", "Compliance"),
        ("AWSConfig", "AWS Config", "Compliance"),
        ("AWSCostExplorer", "AWS Cost Explorer", "Cost Management"),
        ("AWSSupportBusiness", "AWS Support (Business)", "Support"),
        ("AWSSupportEnterprise", "AWS Support (Enterprise)", "Support"),
        ("AWSDeveloperSupport", "AWS Support (Developer)", "Support"),
        ("AWSSystemsManager", "AWS Systems Manager", "Endpoint Management"),
    ),
    **_services(
        "Migration",
        ("AWSDatabaseMigrationSvc", "AWS Database Migration Service", "Data Migration"),
        ("AWSDataSync", "AWS DataSync", "Data Migration"),
    ),
    **_services(
        "Networking",
        ("AmazonCloudFront", "Amazon CloudFront", "Content Delivery"),
        ("AmazonRoute53", "Amazon Route 53", "Network Infrastructure"),
        ("AmazonVPC", "Amazon Virtual Private Cloud", "Network Connectivity"),
        ("AWSDataTransfer", "AWS Data Transfer", "Network Connectivity"),
        ("AWSDirectConnect", "AWS Direct Connect", "Network Connectivity"),
        ("AWSELB", "Elastic Load Balancing", "Application Networking"),
        ("AWSNetworkFirewall", "AWS Network Firewall", "Network Security"),
        ("awswaf", "AWS WAF", "Network Security"),
    ),
    **_services(
        "Security",
        ("AmazonGuardDuty", "Amazon GuardDuty", "Threat Detection and Response"),
        ("AmazonInspectorV2", "Amazon Inspector", "Security Posture Management"),
        ("awskms", "AWS Key Management Service", "Secret Management"),
        ("AWSSecretsManager", "AWS Secrets Manager", "Secret Management"),
        ("AWSSecurityHub", "AWS Security Hub", "Security Posture Management"),
    ),
    **_services(
        "Storage",
        ("AmazonEFS", "Amazon Elastic File System", "File Storage"),
        ("AmazonFSx", "Amazon FSx", "File Storage"),
        ("AmazonGlacier", "Amazon S3 Glacier", "Backup Storage"),
        ("AmazonS3", "Amazon Simple Storage Service", "Object Storage"),
        ("AWSBackup", "AWS Backup", "Backup Storage"),
    ),
}

UNLISTED = Service("AWS", "Other", "Other (Other)")


def service(product_code: str | None) -> Service:
    """Return the service of a product code; for an unlisted one, the code is the name."""
    known = SERVICES.get(product_code or "")
    if known:
        return known
    return Service(product_code or UNLISTED.name, UNLISTED.category, UNLISTED.subcategory)
