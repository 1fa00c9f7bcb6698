"""What the customer's template says of itself: a sentence for each parameter, resource, statement
and output.

Those of resources and statements stand as comments above what they explain. A test holds them
complete.
"""

from collections.abc import Mapping

from cloudspend.settings import CUSTOMER_ROLE, MEMBER_ROLE, TEMPLATE_VERSION

TITLE = f"""\
CloudSpend: how it gets to read this account's bill (template version {TEMPLATE_VERSION}).

You are about to let CloudSpend read what AWS charges you. This file is all that is created in your
accounts: no user, no access key, no code. Nothing in it lets CloudSpend change anything. Above each
part stands what it is for. The guide for your security review, with commands that check each
statement, is docs/security.md in CloudSpend's repository. To end it, delete the stack: the role is
gone at once, and the bucket with your bills stays yours."""

PARAMETERS: Mapping[str, str] = {
    "Connection": (
        "IAM_ROLE creates the role that CloudSpend reads with. ACCESS_KEY, for accounts in which "
        "no role can be created, creates none: you make a user and give its key to CloudSpend, and "
        "this stack makes the bucket and the export."
    ),
    "PlatformAccountId": "The AWS account of CloudSpend, which may use the role",
    "ExternalId": (
        "CloudSpend shows this id whenever it uses the role; without it the role stays shut"
    ),
    "RolePath": (
        "The path that the roles are created under, if your rules ask for one, e.g. /vendors/"
    ),
    "PermissionsBoundaryArn": (
        "The ARN of the policy that bounds the roles, if your rules ask for one"
    ),
    "ExportSetup": (
        "CREATE_ALL makes a bucket and an export. CREATE_EXPORT makes an export that AWS delivers "
        "to a bucket of yours, whose policy must let AWS in already. USE_EXISTING makes neither: "
        "CloudSpend reads the export that the following fields describe."
    ),
    "ExportKind": (
        "What AWS delivers: an export of CUR 2.0 (hourly, with resource ids), of FOCUS 1.2 or 1.0, "
        "or the legacy Cost and Usage Report"
    ),
    "ExportBucketName": (
        "The bucket that the bill is delivered to; created if ExportSetup is CREATE_ALL"
    ),
    "ExportPrefix": (
        "The folder in the bucket that AWS delivers to, and the only one CloudSpend can read"
    ),
    "ExportName": "The name of the report or export; only a report's may have dots",
    "SplitCostAllocationData": (
        "Whether a CUR 2.0 export also splits the cost of container hosts among their containers; "
        "it must be enabled in the Cost Management preferences first"
    ),
    "RetentionDays": (
        "After how many days delivered files are deleted from a bucket that this stack creates"
    ),
    "KmsKeyArn": (
        "The ARN of your KMS key, if the bill is to be (or is) encrypted with one. Its policy must "
        "let AWS's billing service encrypt and the role decrypt; see docs/security.md"
    ),
    "RegistrationTopicArn": (
        "Where this stack tells CloudSpend that it is there. Empty: it tells nobody, and you send "
        "the output RoleArn to whoever invited you."
    ),
    "RegistrationToken": (
        "Proves to CloudSpend that this is the account that was invited; it works once"
    ),
    "DeliveriesBusArn": (
        "Where CloudSpend is told that AWS has delivered a bill. Empty: nothing is told, and "
        "CloudSpend looks for new bills every six hours."
    ),
    "MemberStacks": (
        "NONE creates nothing in member accounts. SERVICE_MANAGED creates the role "
        "cloudspend-member in every account of the units below, also in those that join later; "
        "trusted access of CloudFormation StackSets must be activated. SELF_MANAGED creates it in "
        "the accounts below, in which StackSets' own roles must exist."
    ),
    "MembersIn": (
        "For SERVICE_MANAGED the ids of organizational units, or of the root (r-...) for all "
        "accounts; for SELF_MANAGED account ids; with commas between them"
    ),
}

SENTENCES: Mapping[str, str] = {
    # resources
    "ExportBucket": (
        "A bucket for the bill, made only if ExportSetup is CREATE_ALL. Encrypted (with your "
        "KMS key if you give one), closed to the public, ACLs off. It tells EventBridge of this"
        " account about new objects. Deleting the stack leaves the bucket and the bills in it."
    ),
    "ExportBucketPolicy": (
        "Who may use that bucket beside you: the two services by which AWS delivers bills, and "
        "only for reports and exports of this account."
    ),
    "CostAndUsageReport": (
        "Made if you chose the legacy Cost and Usage Report: hourly, with resource ids. AWS "
        "changes closed months in it too, since refunds and credits come late."
    ),
    "CostAndUsageExport": "Made if you chose CUR 2.0: hourly, with resource ids, every column.",
    "FocusOneZeroExport": "Made if you chose FOCUS 1.0: every column.",
    "FocusOneTwoExport": "Made if you chose FOCUS 1.2: every column.",
    "AccessRole": (
        f"The role {CUSTOMER_ROLE}, which CloudSpend reads with. Its statements are a complete "
        "list; each one is tried with a real call when you connect. Not made if Connection is "
        "ACCESS_KEY, nor is any other role of this list then."
    ),
    "DecryptionPolicy": "What the role may do beside that, if you gave a KMS key.",
    "ForwardingRole": (
        "The role by which EventBridge of this account announces a delivery to CloudSpend. Not "
        "made if DeliveriesBusArn is empty."
    ),
    "NewManifest": (
        "Announces that AWS has delivered a bill: the name of the new manifest, not its "
        "content. Not made if DeliveriesBusArn is empty."
    ),
    "Registration": (
        "Tells CloudSpend, when the stack is created, updated or deleted, what is below: where "
        "the role and the bill are. No cost data. Not made if RegistrationTopicArn is empty."
    ),
    "MemberStackSet": (
        "Creates one role in each member account that you name, by the template within; CloudSpend "
        "sees by it that the account is reached. It can read nothing there. The management account "
        "gets none. An account that fails keeps the others from nothing. Not made if MemberStacks "
        "is NONE."
    ),
    # statements
    "BillingLooksAtTheBucket": "AWS sees whether it can deliver the legacy report here.",
    "BillingDelivers": "AWS writes the legacy report, under the prefix only.",
    "DataExportsLooksAtTheBucket": "AWS sees whether it can deliver an export here.",
    "DataExportsDelivers": "AWS writes the export, under the prefix only.",
    "EncryptedConnectionsOnly": "Nobody, you included, reads or writes without TLS.",
    "CloudSpendWithItsExternalId": (
        "CloudSpend's account may use the role, and only while it shows the external id that "
        "was made for you. CloudSpend refuses to work if the role opens without it."
    ),
    "CloudSpendSaysWhoComesAndWhatFor": (
        "Sessions say in your CloudTrail which function comes and what for. By itself this lets "
        "nobody in."
    ),
    "ShowWhoMayUseThisRole": (
        "The role can show its own definition, so that CloudSpend sees whom it trusts. CloudSpend "
        "refuses to work if that is anybody else."
    ),
    "FindTheBill": "To find manifests: the bucket's list under the prefix, and no other.",
    "ReadTheBill": "To read manifests and the files that they name, under the prefix only.",
    "SeeWhichExportsThereAre": (
        "To find the reports and exports of this account. AWS lets nobody choose among them in "
        "a permission; the actions show definitions, not data."
    ),
    "SeeHowTheyAreDelivered": "To see how an export is defined, and why AWS failed to deliver it.",
    "CompareTheBillWithAwsOwnFigures": (
        "To compare every bill with AWS's own figures and to know the names of linked accounts."
        " AWS has no finer choice than the action; all of them only read. Each request to Cost "
        "Explorer costs this account 0.01 USD."
    ),
    "DecryptTheBill": (
        "To decrypt with exactly this key, and only through S3, what the role may read."
    ),
    "EventBridgeOfThisAccount": (
        "Only EventBridge uses this role, and only for rules of this account."
    ),
    "TellOfDeliveries": "It may put events on CloudSpend's bus and do nothing else.",
}

MEMBER_TITLE = """\
CloudSpend: what is created in each member account. One role. It can be used by CloudSpend alone,
and all that it can do is to show its own definition: no data, no change, no other role."""
MEMBER_SENTENCES: Mapping[str, str] = {
    "MemberRole": (
        f"The role {MEMBER_ROLE}: that CloudSpend can use it shows that the account is reached."
    ),
    **{
        sid: SENTENCES[sid]
        for sid in ("CloudSpendWithItsExternalId", "CloudSpendSaysWhoComesAndWhatFor")
    },
    "ShowWhoMayUseThisRole": "The role can show its own definition, and do nothing else.",
}
MEMBER_OUTPUT = "The role that shows that this account is reached"

MEMBERS_TITLE = f"""\
CloudSpend: how it sees that it reaches the accounts of your organization (template version
{TEMPLATE_VERSION}).

This is for an account that is a delegated administrator for CloudFormation StackSets. The file
creates one role in each account that you name, which can show its own definition and nothing else.
To end it, delete the stack: the roles are gone with it."""
MEMBERS_SENTENCES: Mapping[str, str] = {
    "MemberStackSet": (
        "Creates the role by the template within. Accounts that join a unit get it, those that "
        "leave lose it. An account that fails keeps the others from nothing."
    )
}
MEMBERS_OUTPUT = "The StackSet, in this account's list of StackSets as a delegated administrator"

OUTPUTS: Mapping[str, str] = {
    "RoleArn": (
        "The role that CloudSpend uses; send it to CloudSpend if it is not told by this stack"
    ),
    "BillBucket": "The bucket that holds the bill",
    "BillLocation": "Where in it AWS delivers",
    "BillKind": "The kind of export that CloudSpend expects there",
    "BillRegion": "The region of this stack",
    "TemplateVersion": "The version of the template that this stack was made from",
}
