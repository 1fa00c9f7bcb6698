"""The customer's bucket for the bill: how it is kept, and who may put the bill there."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, CfnDeletionPolicy, Fn
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.review import accept
from stacks.customer_choices import Choices, only_if
from stacks.customer_parameters import Parameters

BUCKET = Fn.sub("arn:${AWS::Partition}:s3:::${ExportBucketName}")
EXPORTED_OBJECTS = Fn.sub("arn:${AWS::Partition}:s3:::${ExportBucketName}/${ExportPrefix}/*")
# Where the billing services live: their ARNs bear this region wherever the bucket is.
BILLING_REGION = "us-east-1"


def export_bucket(scope: Construct, parameters: Parameters, choices: Choices) -> s3.CfnBucket:
    """The bucket itself, unless the customer has one. Without a key of the customer's, S3's own."""
    key = choices.key.logical_id
    bucket = s3.CfnBucket(
        scope,
        "ExportBucket",
        bucket_name=parameters.bucket_name.value_as_string,
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    server_side_encryption_by_default=(
                        s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm=Fn.condition_if(key, "aws:kms", "AES256").to_string(),
                            kms_master_key_id=only_if(choices.key, parameters.key.value_as_string),
                        )
                    ),
                    # One request to KMS an hour instead of one an object.
                    bucket_key_enabled=Fn.condition_if(key, True, False),
                )
            ]
        ),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        ),
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[
                s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")
            ]
        ),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
            rules=[_forget_old_bills(parameters)]
        ),
        notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        ),
    )
    bucket.cfn_options.condition = choices.bucket
    # The bills are the customer's: deleting the stack leaves them where they are.
    bucket.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
    bucket.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
    accept(
        bucket,
        "The bucket is the customer's, who pays for logs and decides on them. Only AWS billing "
        "and one role may touch it, and CloudTrail shows each use of the role.",
        "S1",
    )
    return bucket


def export_bucket_policy(
    scope: Construct, bucket: s3.CfnBucket, choices: Choices
) -> s3.CfnBucketPolicy:
    """Who may put the bill there: AWS's two services for it, in this account's name alone (AWS Cost
    and Usage Report user guide and AWS Data Exports user guide, "Setting up an Amazon S3 bucket").
    """
    statements = [
        *_delivery("Billing", "billingreports", "cur", "definition", ["s3:GetBucketAcl"]),
        *_delivery("DataExports", "bcm-data-exports", "bcm-data-exports", "export", []),
        {
            "Sid": "EncryptedConnectionsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket.attr_arn, Fn.join("", [bucket.attr_arn, "/*"])],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    policy = s3.CfnBucketPolicy(
        scope, "ExportBucketPolicy", bucket=bucket.ref, policy_document=document(statements)
    )
    policy.cfn_options.condition = choices.bucket
    return policy


def document(statements: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _delivery(
    who: str, principal: str, service: str, resource: str, also: list[str]
) -> list[dict[str, Any]]:
    """What a service of AWS may do that delivers exports whose ARN is of `service`."""
    source = f"{service}:{BILLING_REGION}:${{AWS::AccountId}}:{resource}/*"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": f"{principal}.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": Fn.sub(f"arn:${{AWS::Partition}}:{source}")},
        },
    }
    return [
        {
            "Sid": f"{who}LooksAtTheBucket",
            **allowed,
            "Action": [*also, "s3:GetBucketPolicy"],
            "Resource": BUCKET,
        },
        {
            "Sid": f"{who}Delivers",
            **allowed,
            "Action": "s3:PutObject",
            "Resource": EXPORTED_OBJECTS,
        },
    ]


def _forget_old_bills(parameters: Parameters) -> s3.CfnBucket.RuleProperty:
    return s3.CfnBucket.RuleProperty(
        id="ForgetOldBills",
        status="Enabled",
        prefix=Fn.sub("${ExportPrefix}/"),
        expiration_in_days=parameters.retention_days.value_as_number,
        abort_incomplete_multipart_upload=(
            s3.CfnBucket.AbortIncompleteMultipartUploadProperty(days_after_initiation=1)
        ),
    )
