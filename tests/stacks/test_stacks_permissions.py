"""What each function and each state machine may do, as a complete list."""

import re

import pytest

from cloudspend.settings import KEY_READER
from tests.stacks.stacks_reading import Template, function_role, of_type, plain, role_grants

INGEST, ONBOARDING, ALERTS = "cloudspend-ingest", "cloudspend-onboarding", "cloudspend-alerts"
SWEEP, FINDINGS = "cloudspend-sweep", "cloudspend-findings"
COLLECT, OFFBOARDING = "cloudspend-collect", "cloudspend-offboarding"

REGISTRY = "dynamodb:table/cloudspend"
LAKE = "s3:cloudspend-lake"
RESULTS = "s3:cloudspend-results"
CATALOG = ("glue:catalog", "glue:database/cloudspend")

Grants = set[tuple[str, str]]


def on(resource: str, *actions: str) -> Grants:
    return {(action, resource) for action in actions}


def registry(*actions: str) -> Grants:
    return on(REGISTRY, *(f"dynamodb:{action}" for action in actions)) | KEY


def partitions(*tables: str) -> Grants:
    actions = ("glue:CreatePartition", "glue:GetPartition", "glue:UpdatePartition")
    names = (*CATALOG, *(f"glue:table/cloudspend/{table}" for table in tables))
    return {(action, name) for action in actions for name in names}


def columns(*tables: str) -> Grants:
    names = (*CATALOG, *(f"glue:table/cloudspend/{table}" for table in tables))
    return {(action, name) for action in ("glue:GetTable", "glue:UpdateTable") for name in names}


def executions(machine: str) -> Grants:
    return on(f"states:stateMachine:{machine}", "states:StartExecution") | on(
        f"states:execution:{machine}:*", "states:DescribeExecution"
    )


def writes(*folders: str) -> Grants:
    return {
        (action, f"{LAKE}/{folder}/*")
        for action in ("s3:AbortMultipartUpload", "s3:PutObject")
        for folder in folders
    }


def reads(*folders: str) -> Grants:
    return {("s3:GetObject", f"{LAKE}/{folder}/*") for folder in folders}


KEY = on("key", "kms:Decrypt", "kms:GenerateDataKey")
CUSTOMERS = {
    (f"sts:{action}", f"iam:any-account:role/{role}")
    for action in ("AssumeRole", "SetSourceIdentity", "TagSession")
    for role in ("cloudspend-access", "*/cloudspend-access")
} | on("secretsmanager:secret:cloudspend/access-key/*", "secretsmanager:GetSecretValue")
BUS = {("events:PutEvents", "events:event-bus/cloudspend")}
LISTING = {("s3:ListBucket", LAKE)}
QUERIES = (
    on(
        "athena:workgroup/cloudspend",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
    )
    | {("athena:GetDataCatalog", "athena:datacatalog/AwsDataCatalog")}
    | {
        (f"glue:{action}", name)
        for action in ("GetDatabase", "GetPartition", "GetPartitions", "GetTable")
        for name in (*CATALOG, "glue:table/cloudspend/*")
    }
    | on(
        f"{RESULTS}/athena/*",
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    )
    | on(RESULTS, "s3:GetBucketLocation", "s3:ListBucket")
    | {("s3:GetBucketLocation", LAKE)}
    | LISTING
    | reads("cost_and_usage")
    | KEY
)
PROOF = (
    registry("GetItem", "UpdateItem")
    | writes("reconciliation", "reconciliation_cells", "data_quality")
    | partitions("reconciliation", "reconciliation_cells", "data_quality")
    | BUS
)

COLLECTED = (
    "cost_explorer_daily_services",
    "cost_explorer_daily_charge_types",
    "cost_explorer_monthly_services",
    "cost_explorer_dimension_values",
    "cost_allocation_tag_keys",
    "cost_categories",
    "reservation_coverage",
    "reservation_utilization",
    "reservation_recommendations",
    "savings_plans_utilization",
    "savings_plans_coverage",
    "budgets",
    "budget_notifications",
    "invoices",
    "organization_accounts",
)
ACCOUNT_LIST = on("dynamodb:table/cloudspend/index/kind", "dynamodb:Query")
SWEPT_TABLES = (
    "cost_and_usage",
    "cost_and_usage_generations",
    "billing_detail",
    "billing_detail_generations",
    "reconciliation",
    "reconciliation_cells",
    "data_quality",
)

# What there is of an account, wherever it is, and the report of its offboarding.
LISTED = (
    reads("offboarded")
    | writes("offboarded")
    | KEY
    | {("s3:ListBucketVersions", LAKE)}
    | {
        (f"glue:{action}", name)
        for action in ("GetPartitions", "GetTables")
        for name in (*CATALOG, "glue:table/cloudspend/*")
    }
    | on("secretsmanager:secret:cloudspend/access-key/*", "secretsmanager:DescribeSecret")
)

# Anyone who writes findings writes them for analysts as well.
SHOWS_FINDINGS = writes("findings") | partitions("findings")

FUNCTIONS: dict[tuple[str, str], Grants] = {
    (INGEST, "ingest-start"): registry("GetItem")
    | CUSTOMERS
    | executions("cloudspend-ingest")
    | BUS,
    (INGEST, "ingest-plan"): registry("GetItem", "UpdateItem") | CUSTOMERS | writes("runs"),
    (INGEST, "ingest-convert"): registry("GetItem", "UpdateItem")
    | CUSTOMERS
    | writes("cost_and_usage", "billing_detail"),
    (INGEST, "ingest-check"): registry("GetItem", "UpdateItem")
    | reads("runs", "cost_and_usage", "billing_detail")
    | LISTING
    | partitions("cost_and_usage_generations", "billing_detail_generations")
    | columns("cost_and_usage", "cost_and_usage_generations")
    | BUS,
    (INGEST, "ingest-publish"): registry("GetItem", "PutItem", "UpdateItem")
    | partitions("cost_and_usage", "billing_detail")
    | {
        ("glue:DeletePartition", name)
        for name in (*CATALOG, "glue:table/cloudspend/billing_detail")
    }
    | QUERIES
    | BUS,
    (INGEST, "reconcile-period"): PROOF
    | registry("Query")
    | CUSTOMERS
    | QUERIES
    | reads("reconciliation", "reconciliation_cells"),
    (INGEST, "reconcile-unavailable"): PROOF,
    (INGEST, "ingest-report-failure"): registry("GetItem", "Query", "UpdateItem")
    | reads("runs")
    | LISTING
    | BUS,
    (ONBOARDING, "onboard-register"): registry("DeleteItem", "GetItem", "PutItem", "UpdateItem")
    | BUS
    | executions("cloudspend-onboard"),
    (ONBOARDING, "onboard-verify"): registry("GetItem", "PutItem") | CUSTOMERS | BUS,
    (ONBOARDING, "onboard-check-permissions"): registry(
        "BatchWriteItem", "GetItem", "PutItem", "Query"
    )
    | ACCOUNT_LIST
    | CUSTOMERS
    | on("secretsmanager:secret:cloudspend/access-key/*", "secretsmanager:DeleteSecret")
    | BUS,
    (ONBOARDING, "onboard-activate"): registry("GetItem", "PutItem", "Query") | BUS,
    (ONBOARDING, "onboard-backfill"): registry("DeleteItem", "GetItem", "Query", "UpdateItem")
    | ACCOUNT_LIST
    | {
        ("glue:DeletePartition", name)
        for name in (*CATALOG, *(f"glue:table/cloudspend/{table}" for table in SWEPT_TABLES))
    }
    | CUSTOMERS
    | executions("cloudspend-ingest")
    | BUS,
    (ONBOARDING, "onboard-report-failure"): registry("GetItem", "PutItem") | BUS,
    (ONBOARDING, "onboard-publish-template"): {
        ("s3:GetObject", "the template's asset"),
        ("s3:DeleteObject", "a public template"),
        ("s3:PutObject", "a public template"),
    },
    (COLLECT, "collect-list"): registry("GetItem")
    | on("dynamodb:table/cloudspend/index/kind", "dynamodb:Query")
    | writes("collects"),
    (COLLECT, "collect-source"): registry(
        "BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"
    )
    | CUSTOMERS
    | writes(*COLLECTED)
    | partitions(*COLLECTED)
    | {
        (f"glue:{action}", name)
        for action in ("DeletePartition", "GetPartitions")
        for name in (*CATALOG, *(f"glue:table/cloudspend/{table}" for table in COLLECTED))
    }
    | LISTING
    | {("s3:DeleteObject", f"{LAKE}/{folder}/*") for folder in COLLECTED}
    | BUS,
    (COLLECT, "collect-failed"): registry("GetItem", "PutItem") | BUS,
    (COLLECT, "collect-report"): reads("collects") | writes("collects") | KEY | BUS,
    (SWEEP, "sweep-list"): on("dynamodb:table/cloudspend/index/kind", "dynamodb:Query")
    | writes("sweeps")
    | KEY,
    (SWEEP, "sweep-accounts"): registry(
        "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"
    )
    | ACCOUNT_LIST
    | CUSTOMERS
    | executions("cloudspend-ingest")
    | partitions(*SWEPT_TABLES)
    | columns("cost_and_usage", "cost_and_usage_generations")
    | {
        (f"glue:{action}", name)
        for action in ("DeletePartition", "GetPartitions")
        for name in (*CATALOG, *(f"glue:table/cloudspend/{table}" for table in SWEPT_TABLES))
    }
    | LISTING
    | {
        ("s3:DeleteObject", f"{LAKE}/{folder}/*")
        for folder in (
            "cost_and_usage",
            "billing_detail",
            "reconciliation",
            "reconciliation_cells",
            "data_quality",
            "runs",
        )
    }
    | BUS,
    (SWEEP, "sweep-report"): reads("sweeps") | writes("sweeps") | KEY | BUS,
    (SWEEP, "sweep-compared"): reads("sweeps") | KEY,
    (OFFBOARDING, "offboard-stop"): registry("GetItem", "Query")
    | writes("offboarded")
    | {
        grant
        for machine in ("cloudspend-ingest", "cloudspend-onboard")
        for grant in (
            ("states:ListExecutions", f"states:stateMachine:{machine}"),
            ("states:StopExecution", f"states:execution:{machine}:*"),
        )
    },
    (OFFBOARDING, "offboard-clear"): LISTED
    | on("secretsmanager:secret:cloudspend/access-key/*", "secretsmanager:DeleteSecret")
    | {("glue:BatchDeletePartition", name) for name in (*CATALOG, "glue:table/cloudspend/*")}
    | on(f"{LAKE}/*/account_id=*/*", "s3:DeleteObject", "s3:DeleteObjectVersion"),
    (OFFBOARDING, "offboard-prove"): LISTED
    | registry("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query")
    | BUS,
    (ALERTS, "alerts-notify"): {
        ("sns:Publish", f"sns:cloudspend-alerts-{severity}")
        for severity in ("info", "warning", "critical")
    }
    | {("sns:Publish", f"sns:cloudspend-{topic}") for topic in ("chat", "events")}
    | registry("GetItem", "PutItem", "Query")
    | SHOWS_FINDINGS,
    (FINDINGS, "findings-evaluate"): registry("GetItem", "PutItem", "Query")
    | QUERIES
    | reads(
        "billing_detail",
        "reconciliation_cells",
        "budgets",
        "budget_notifications",
        "reservation_recommendations",
    )
    | SHOWS_FINDINGS
    | BUS,
    (FINDINGS, "findings-report"): set(),
}
# What every function has: its own log, traces, and its stack's dead letters where events call it.
COMMON = {
    ("logs:CreateLogStream", "log"),
    ("logs:PutLogEvents", "log"),
    ("xray:PutTelemetryRecords", "*"),
    ("xray:PutTraceSegments", "*"),
}
DEAD_LETTERS = {("sqs:SendMessage", "dead letters")}
CALLED_BY_EVENTS = {"ingest-start", "onboard-register", "alerts-notify"}

SHORT = (
    (r"arn:<AWS::Partition>:iam::\*:role/(.+)", r"iam:any-account:role/\1"),
    (r"arn:<AWS::Partition>:s3:::(cloudspend-\w+)-<AWS::AccountId>-<AWS::Region>(.*)", r"s3:\1\2"),
    (r"arn:<AWS::Partition>:(\w+):<AWS::Region>:<AWS::AccountId>:(.+)", r"\1:\2"),
    (r"<cloudspend-lake:ExportsOutputFnGetAttKey.*>", "key"),
    (r"<\w*Logs\w*\.Arn>", "log"),
    (r"<\w*DeadLetters\w*\.Arn>", "dead letters"),
    (r"<Template\w*\.Arn>/cloudspend-(customer|members)\.yaml", "a public template"),
    (r"arn:<AWS::Partition>:s3:::cdk-\w+-assets-.*\.yaml", "the template's asset"),
)


def short(resource: str) -> str:
    for pattern, replacement in SHORT:
        found = re.fullmatch(pattern, resource)
        if found:
            return found.expand(replacement)
    return resource


def granted(template: Template, role: str) -> Grants:
    return {(action, short(resource)) for action, resource in role_grants(template, role)}


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_a_function_may_do_exactly_this(
    templates: dict[str, Template], stack: str, name: str
) -> None:
    extra = DEAD_LETTERS if name in CALLED_BY_EVENTS else set()
    template = templates[stack]
    found = granted(template, function_role(template, f"cloudspend-{name}"))
    assert found == FUNCTIONS[stack, name] | COMMON | extra


def test_only_functions_that_enter_customers_accounts_bear_the_tag_that_keys_are_read_by(
    templates: dict[str, Template],
) -> None:
    """The secrets' policy asks for the tag, IAM for the permission: both, or neither."""
    tag = dict(zip(("Key", "Value"), KEY_READER, strict=True))
    for stack, name in FUNCTIONS:
        template = templates[stack]
        role = function_role(template, f"cloudspend-{name}")
        tagged = tag in template["Resources"][role]["Properties"].get("Tags", [])
        assert tagged == (granted(template, role) >= CUSTOMERS), name


def test_every_function_is_in_the_list(templates: dict[str, Template]) -> None:
    found = {
        (stack, properties["FunctionName"].removeprefix("cloudspend-"))
        for stack, template in templates.items()
        for properties in of_type(template, "AWS::Lambda::Function").values()
    }
    assert found == set(FUNCTIONS)


def test_no_role_has_a_policy_of_somebody_elses(templates: dict[str, Template]) -> None:
    for template in templates.values():
        for role in of_type(template, "AWS::IAM::Role").values():
            assert "ManagedPolicyArns" not in role
            assert "Policies" not in role


@pytest.mark.parametrize("stack", [INGEST, ONBOARDING, SWEEP, FINDINGS, COLLECT, OFFBOARDING])
def test_a_machine_calls_the_functions_of_its_own_states_and_no_others(
    templates: dict[str, Template], stack: str
) -> None:
    template = templates[stack]
    for machine in of_type(template, "AWS::StepFunctions::StateMachine").values():
        # A function of this stack by its ARN, one of Ingest's by what that stack exports.
        called = set(
            re.findall(r"<(Tasks\w+\.Arn|cloudspend-(?:ingest|sweep):\w+)>", _definition(machine))
        )
        role = machine["RoleArn"]["Fn::GetAtt"][0]
        allowed = {
            resource.removeprefix("<").removesuffix(">")
            for action, resource in role_grants(template, role)
            if action == "lambda:InvokeFunction"
        }
        assert allowed == called


def _definition(machine: Template) -> str:
    return plain(machine["DefinitionString"])
