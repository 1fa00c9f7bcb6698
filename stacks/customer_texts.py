"""Texts of the customer's template: a sentence for each parameter, resource, statement, output.

Texts of resources and statements become comments above the part that they explain. A test checks
that none is missing.
"""

from collections.abc import Mapping

from cloudspend.settings import CUSTOMER_ROLE, MEMBER_ROLE, TEMPLATE_VERSION

TITLE = f"""\
CloudSpend: read access to this account's bill (template version {TEMPLATE_VERSION}).

You are about to let CloudSpend read what AWS charges you. This file is everything that is created
in your accounts: no user, no access key, no code. Nothing in it lets CloudSpend change anything.
The comment above each part explains what the part is for. docs/security.md in CloudSpend's
repository is the guide for your security review, with a command to check each statement. To end the
access, delete the stack: the role is removed at once, and the bucket with your bills stays
yours."""

PARAMETERS: Mapping[str, str] = {
    "Connection": (
        "IAM_ROLE creates the role that CloudSpend reads with. ACCESS_KEY, for accounts that "
        "cannot create roles, creates no role: you create a user and give its key to CloudSpend, "
        "and this stack creates the bucket and the export."
    ),
    "PlatformAccountId": "CloudSpend's AWS account, the only one that can use the role",
    "ExternalId": (
        "CloudSpend presents this id whenever it uses the role. Without it, AWS refuses access."
    ),
    "RolePath": "The path of the roles, if your rules require one, for example /vendors/",
    "PermissionsBoundaryArn": (
        "The ARN of the permissions boundary of the roles, if your rules require one"
    ),
    "ExportSetup": (
        "CREATE_ALL creates a bucket and an export. CREATE_EXPORT creates an export that AWS "
        "delivers to a bucket of yours, whose policy must already allow AWS to write. USE_EXISTING "
        "creates neither: CloudSpend reads the export that the following fields describe."
    ),
    "ExportKind": (
        "The kind of bill that AWS delivers: CUR 2.0 (hourly, with resource ids), FOCUS 1.2 or "
        "1.0, or the legacy Cost and Usage Report"
    ),
    "ExportBucketName": (
        "The bucket that AWS delivers the bill to; created if ExportSetup is CREATE_ALL"
    ),
    "ExportPrefix": (
        "The folder of the bucket that AWS delivers to, and the only one that CloudSpend can read"
    ),
    "ExportName": "The name of the report or export; only a report's name can contain dots",
    "SplitCostAllocationData": (
        "Whether a CUR 2.0 export also splits the cost of container hosts among their containers. "
        "Enable this in the Cost Management preferences first."
    ),
    "RetentionDays": (
        "After how many days delivered files are deleted from a bucket that this stack creates"
    ),
    "KmsKeyArn": (
        "The ARN of your KMS key, if the bill is encrypted with one. The key's policy must allow "
        "AWS's billing service to encrypt and the role to decrypt; see docs/security.md"
    ),
    "RegistrationTopicArn": (
        "The topic that this stack registers with. If it is empty, the stack sends nothing, and "
        "you send the output RoleArn to the person who invited you."
    ),
    "RegistrationToken": ("Proves to CloudSpend that this is the invited account. It works once."),
    "DeliveriesBusArn": (
        "The event bus that is notified when AWS has delivered a bill. If it is empty, nothing is "
        "sent, and CloudSpend looks for new bills every six hours."
    ),
    "MemberStacks": (
        "NONE creates nothing in member accounts. SERVICE_MANAGED creates the role "
        "cloudspend-member in every account of the units below, including accounts that join "
        "later; trusted access of CloudFormation StackSets must be activated. SELF_MANAGED creates "
        "it in the accounts below, in which the roles of StackSets must exist."
    ),
    "MembersIn": (
        "For SERVICE_MANAGED: ids of organizational units, or of the root (r-...) for all "
        "accounts. For SELF_MANAGED: account ids. Separate them with commas."
    ),
}

SENTENCES: Mapping[str, str] = {
    # resources
    "ExportBucket": (
        "A bucket for the bill, created only if ExportSetup is CREATE_ALL. Encrypted (with your "
        "KMS key if you give one), closed to the public, ACLs disabled. It notifies EventBridge in "
        "this account of new objects. Deleting the stack keeps the bucket and the bills in it."
    ),
    "ExportBucketPolicy": (
        "Who can use the bucket in addition to you: the two services with which AWS delivers "
        "bills, and only for reports and exports of this account."
    ),
    "CostAndUsageReport": (
        "Created if you chose the legacy Cost and Usage Report: hourly, with resource ids. AWS "
        "also updates closed months in it, because refunds and credits arrive late."
    ),
    "CostAndUsageExport": "Created if you chose CUR 2.0: hourly, with resource ids, every column.",
    "FocusOneZeroExport": "Created if you chose FOCUS 1.0: every column.",
    "FocusOneTwoExport": "Created if you chose FOCUS 1.2: every column.",
    "AccessRole": (
        f"The role {CUSTOMER_ROLE}, which CloudSpend reads with. Its statements are a complete "
        "list; CloudSpend tries each one with a real call when you connect. If Connection is "
        "ACCESS_KEY, neither this role nor any other role of this file is created."
    ),
    "DecryptionPolicy": "An additional permission of the role, if you gave a KMS key.",
    "ForwardingRole": (
        "The role with which EventBridge in this account forwards delivery events to CloudSpend. "
        "Not created if DeliveriesBusArn is empty."
    ),
    "NewManifest": (
        "Forwards an event when AWS has delivered a bill: the name of the new manifest, not its "
        "content. Not created if DeliveriesBusArn is empty."
    ),
    "Registration": (
        "Sends the properties below to CloudSpend when the stack is created, updated or deleted: "
        "the locations of the role and of the bill. No cost data. Not created if "
        "RegistrationTopicArn is empty."
    ),
    "MemberStackSet": (
        "Creates one role in each member account that you name, with the template inside. The role "
        "shows CloudSpend that it can reach the account, and can read nothing there. The "
        "management account gets none. A failure in one account does not stop the others. Not "
        "created if MemberStacks is NONE."
    ),
    # statements
    "BillingLooksAtTheBucket": "AWS checks whether it can deliver the legacy report here.",
    "BillingDelivers": "AWS writes the legacy report, under the prefix only.",
    "DataExportsLooksAtTheBucket": "AWS checks whether it can deliver an export here.",
    "DataExportsDelivers": "AWS writes the export, under the prefix only.",
    "EncryptedConnectionsOnly": "No one, including you, reads or writes without TLS.",
    "CloudSpendWithItsExternalId": (
        "CloudSpend's account can use the role, and only with the external id that was generated "
        "for you. CloudSpend refuses to work if the role can be used without it."
    ),
    "CloudSpendSaysWhoComesAndWhatFor": (
        "Sessions carry the name of the calling function and its purpose, which your CloudTrail "
        "records. This permission alone gives no access."
    ),
    "ShowWhoMayUseThisRole": (
        "The role can show its own definition, which lets CloudSpend check whom the role trusts. "
        "CloudSpend refuses to work if the role trusts anyone else."
    ),
    "FindTheBill": "Finds manifests: lists the bucket under the prefix, and nothing else.",
    "ReadTheBill": "Reads manifests and the files that they name, under the prefix only.",
    "SeeWhichExportsThereAre": (
        "Finds the reports and exports of this account. AWS does not support restricting these "
        "actions to one export. They show definitions, not data."
    ),
    "SeeHowTheyAreDelivered": ("Shows how an export is defined, and why AWS failed to deliver it."),
    "CompareTheBillWithAwsOwnFigures": (
        "Compares every bill with AWS's own figures and reads the names of linked accounts. AWS "
        "does not support finer restrictions than the action. All of these actions only read. Each "
        "request to Cost Explorer costs this account 0.01 USD."
    ),
    "DecryptTheBill": (
        "Decrypts with exactly this key, and only through S3, the files that the role can read."
    ),
    "EventBridgeOfThisAccount": (
        "Only EventBridge uses this role, and only for rules of this account."
    ),
    "TellOfDeliveries": "Puts events on CloudSpend's event bus, and does nothing else.",
}

MEMBER_TITLE = """\
CloudSpend: the resources in each member account. One role. Only CloudSpend can use it, and it can
only show its own definition: no data, no change, no other role."""
MEMBER_SENTENCES: Mapping[str, str] = {
    "MemberRole": (
        f"The role {MEMBER_ROLE}: CloudSpend can reach the account if it can use this role."
    ),
    **{
        sid: SENTENCES[sid]
        for sid in ("CloudSpendWithItsExternalId", "CloudSpendSaysWhoComesAndWhatFor")
    },
    "ShowWhoMayUseThisRole": "The role can show its own definition, and do nothing else.",
}
MEMBER_OUTPUT = "The role that shows that CloudSpend can reach this account"

MEMBERS_TITLE = f"""\
CloudSpend: how it checks that it can reach the accounts of your organization (template version
{TEMPLATE_VERSION}).

This file is for an account that is a delegated administrator for CloudFormation StackSets. It
creates one role in each account that you name. The role can show its own definition and do nothing
else. To end the access, delete the stack: the roles are removed with it."""
MEMBERS_SENTENCES: Mapping[str, str] = {
    "MemberStackSet": (
        "Creates the role with the template inside. Accounts that join a unit get it, accounts "
        "that leave lose it. A failure in one account does not stop the others."
    )
}
MEMBERS_OUTPUT = "The StackSet, in this account's list of StackSets as a delegated administrator"

OUTPUTS: Mapping[str, str] = {
    "RoleArn": (
        "The role that CloudSpend uses. Send it to CloudSpend if this stack does not register."
    ),
    "BillBucket": "The bucket that contains the bill",
    "BillLocation": "The folder that AWS delivers to",
    "BillKind": "The kind of export that CloudSpend expects",
    "BillRegion": "The region of this stack",
    "TemplateVersion": "The version of the template that this stack was created from",
}
