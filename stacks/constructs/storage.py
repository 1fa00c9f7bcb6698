"""Buckets as this platform wants them."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.stage import Stage

VERSIONS_KEPT = Duration.days(30)


class PrivateBucket(s3.Bucket):
    """No one's but the account's: no public access, TLS only, encrypted, accesses logged.

    Only with `public_policy` may its policy name objects that everyone can read. Without `key`
    S3's own key encrypts it, which is what services that write logs need. A deleted or replaced
    object of a versioned bucket can be restored for `versions_kept`. `passing` says after how
    long objects go, by what their keys begin with.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        stage: Stage,
        key: kms.IKey | None = None,
        logs: s3.IBucket | None = None,
        expires: Duration | None = None,
        versioned: bool = False,
        versions_kept: Duration = VERSIONS_KEPT,
        passing: Mapping[str, Duration] | None = None,
        public_policy: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            block_public_access=s3.BlockPublicAccess(
                block_public_acls=True,
                ignore_public_acls=True,
                block_public_policy=not public_policy,
                restrict_public_buckets=not public_policy,
            ),
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=versioned,
            removal_policy=removal(stage),
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{construct_id.lower()}/" if logs else None,
            lifecycle_rules=_lifecycle(expires, versions_kept, versioned, passing or {}),
        )


def removal(stage: Stage) -> RemovalPolicy:
    """What becomes of data when its stack is deleted."""
    return RemovalPolicy.RETAIN if stage.retain_data else RemovalPolicy.DESTROY


def _lifecycle(
    expires: Duration | None,
    versions_kept: Duration,
    versioned: bool,
    passing: Mapping[str, Duration],
) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(1),
            noncurrent_version_expiration=versions_kept,
            expiration=expires,
        )
    ]
    if versioned:
        # What is left of a deleted object once its versions are gone.
        rules.append(s3.LifecycleRule(expired_object_delete_marker=True))
    rules += [
        s3.LifecycleRule(prefix=prefix, expiration=after) for prefix, after in passing.items()
    ]
    return rules
