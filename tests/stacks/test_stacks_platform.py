"""What each stack of the platform holds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cloudspend import errors, settings
from cloudspend.alerts.event import Severity
from cloudspend.collect.sources import TABLES as COLLECTED_TABLES
from cloudspend.findings.tables import TABLES as FINDING_TABLES
from cloudspend.lake.tables import TABLES as LAKE_TABLES
from cloudspend.lake.views import VIEWS
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from stacks.stage import STAGES
from tests.stacks.stacks_reading import Template, of_type, only, plain, role_grants

LAKE, ALERTS = "cloudspend-lake", "cloudspend-alerts"
INGEST, ONBOARDING = "cloudspend-ingest", "cloudspend-onboarding"
SWEEP = "cloudspend-sweep"
COLLECT = "cloudspend-collect"


def states(template: Template, machine: str = "") -> dict[str, Any]:
    """The definition of `machine`, or else of the stack's own next to Compare."""
    found = {
        properties["StateMachineName"]: properties["DefinitionString"]
        for properties in of_type(template, "AWS::StepFunctions::StateMachine").values()
    }
    if not machine:
        (machine,) = found.keys() - {settings.RECONCILE_MACHINE}
    definition: dict[str, Any] = json.loads(plain(found[machine]))
    return definition


def test_every_bucket_is_private_and_takes_no_plain_http(templates: dict[str, Template]) -> None:
    for template in templates.values():
        for name, bucket in of_type(template, "AWS::S3::Bucket").items():
            public = name.startswith("Template")
            blocked = bucket["PublicAccessBlockConfiguration"]
            assert blocked["BlockPublicAcls"] is blocked["IgnorePublicAcls"] is True
            assert blocked["BlockPublicPolicy"] is (not public)
            assert _denies_plain_http(template, name)


@pytest.mark.parametrize("name", ["Lake", "Results"])
def test_what_holds_customers_data_has_the_platforms_key(
    templates: dict[str, Template], name: str
) -> None:
    (bucket,) = [
        properties
        for logical, properties in of_type(templates[LAKE], "AWS::S3::Bucket").items()
        if logical.startswith(name)
    ]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_the_public_may_read_the_templates_and_nothing_else(templates: dict[str, Template]) -> None:
    statements = only(templates[ONBOARDING], "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [one for one in statements if one["Effect"] == "Allow"]
    assert allowed["Action"] == "s3:GetObject"
    assert [plain(each).rpartition("/")[2] for each in allowed["Resource"]] == [
        settings.CUSTOMER_TEMPLATE,
        settings.MEMBERS_TEMPLATE,
    ]


def test_production_keeps_its_data(templates: dict[str, Template]) -> None:
    kept = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key")
    for template in templates.values():
        for resource in template["Resources"].values():
            if resource["Type"] in kept:
                assert resource["DeletionPolicy"] == "Retain"
    assert only(templates[LAKE], "AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is True


def test_the_registry_lists_accounts_by_kind(templates: dict[str, Template]) -> None:
    table = only(templates[LAKE], "AWS::DynamoDB::Table")
    assert table["TableName"] == settings.REGISTRY_TABLE
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["kind", "pk"]


def test_the_workgroup_lets_no_client_override_it(templates: dict[str, Template]) -> None:
    configuration = only(templates[LAKE], "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] > 0
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"]["KmsKey"]


def test_the_catalog_holds_every_declared_table_and_view(templates: dict[str, Template]) -> None:
    found = {
        table["TableInput"]["Name"]: table["TableInput"]
        for table in of_type(templates[LAKE], "AWS::Glue::Table").values()
    }
    tables = (*LAKE_TABLES, *PROOF_TABLES, *COLLECTED_TABLES, *FINDING_TABLES)
    assert set(found) == {one.name for one in (*tables, *VIEWS)}
    for table in tables:
        declared = found[table.name]
        assert plain(declared["StorageDescriptor"]["Location"]).endswith(f"/{table.data_folder}/")
        assert [key["Name"] for key in declared["PartitionKeys"]] == [
            key.name for key in table.partition_keys
        ]
        assert [(c["Name"], c["Type"]) for c in declared["StorageDescriptor"]["Columns"]] == [
            (column.name, column.type) for column in table.columns
        ]
    for view in VIEWS:
        assert found[view.name]["ViewOriginalText"] == view.original_text


def test_each_severity_has_a_rule_and_an_encrypted_topic_and_machines_have_theirs(
    templates: dict[str, Template],
) -> None:
    template = templates[ALERTS]
    severities = [str(severity) for severity in Severity]
    patterns = [
        rule["EventPattern"]["detail"]["severity"]
        for rule in of_type(template, "AWS::Events::Rule").values()
    ]
    assert sorted(patterns) == sorted([severity] for severity in severities)
    topics = of_type(template, "AWS::SNS::Topic").values()
    assert {topic["TopicName"] for topic in topics} == {
        *(f"{settings.ALERT_TOPIC}-{severity}" for severity in severities),
        settings.EVENT_TOPIC,
        settings.CHAT_TOPIC,
    }
    assert all("KmsMasterKeyId" in topic for topic in topics)


def test_the_topics_alone_may_put_what_a_subscriber_did_not_take(
    templates: dict[str, Template],
) -> None:
    template = templates[ALERTS]
    (queue,) = [
        name
        for name, each in of_type(template, "AWS::SQS::Queue").items()
        if each["QueueName"] == settings.dead_letters("subscriptions")
    ]
    statements = [
        statement
        for policy in of_type(template, "AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = statements
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    allowed = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    # Amazon Q Developer subscribes to the topic of chat by itself, without dead letters of ours.
    assert {topic["Ref"] for topic in allowed} == {
        name
        for name, topic in of_type(template, "AWS::SNS::Topic").items()
        if topic["TopicName"] != settings.CHAT_TOPIC
    }


def test_what_nobody_could_handle_is_kept_and_rings(templates: dict[str, Template]) -> None:
    for name in (ALERTS, COLLECT, INGEST, ONBOARDING, SWEEP):
        assert of_type(templates[name], "AWS::SQS::Queue")
        for rule in of_type(templates[name], "AWS::Events::Rule").values():
            assert all("DeadLetterConfig" in target for target in rule["Targets"])
        alarms = of_type(templates[name], "AWS::CloudWatch::Alarm").values()
        assert alarms
        assert all(alarm["AlarmActions"] for alarm in alarms)


def test_whatever_an_event_or_the_clock_calls_has_dead_letters(
    templates: dict[str, Template],
) -> None:
    """Every target of every rule, and every schedule, in a queue that keeps them and rings."""
    queues: list[Any] = []
    for template in templates.values():
        for rule in of_type(template, "AWS::Events::Rule").values():
            queues += [(template, target["DeadLetterConfig"]) for target in rule["Targets"]]
        for schedule in of_type(template, "AWS::Scheduler::Schedule").values():
            queues.append((template, schedule["Target"]["DeadLetterConfig"]))
    assert len(queues) >= 6
    for template, config in queues:
        queue = config["Arn"]["Fn::GetAtt"][0]
        assert queue in of_type(template, "AWS::SQS::Queue")
        watched = [
            dimension["Value"]["Fn::GetAtt"][0]
            for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
            for dimension in alarm.get("Dimensions", [])
            if dimension["Name"] == "QueueName"
        ]
        assert queue in watched


def test_only_s3s_object_events_may_be_put_on_the_deliveries_bus(
    templates: dict[str, Template],
) -> None:
    statement = only(templates[INGEST], "AWS::Events::EventBusPolicy")["Statement"]
    assert statement["Action"] == "events:PutEvents"
    assert statement["Condition"] == {
        "StringEquals": {"events:source": "aws.s3", "events:detail-type": "Object Created"}
    }


def test_ingest_takes_its_steps_in_this_order(templates: dict[str, Template]) -> None:
    definition = states(templates[INGEST])
    order, at = [], definition["StartAt"]
    while True:
        order.append(at)
        state = definition["States"][at]
        if state["Type"] == "Choice":
            (choice,) = state["Choices"]
            at = choice["Next"]
        elif "Next" in state:
            at = state["Next"]
        else:
            break
    assert order == [
        "Plan",
        "Ingest?",
        "Convert",
        "Check",
        "SumInAthena",
        "ReadSums",
        "Publish",
        "Published?",
        "Reconcile",
        "Done",
    ]


def test_every_function_is_told_which_execution_calls_it(templates: dict[str, Template]) -> None:
    """Also in maps, whose children are executions of their own."""
    stated = {"execution.$": "$$.Execution.Id", "state.$": "$"}
    found = [
        state
        for template in templates.values()
        for machine in of_type(template, "AWS::StepFunctions::StateMachine").values()
        for state in _tasks(json.loads(plain(machine["DefinitionString"])))
    ]
    assert len(found) > 20
    assert [state for state in found if state.get("Parameters") != stated] == []


def test_no_function_starts_threads_for_matrices(templates: dict[str, Template]) -> None:
    found = [
        function["Environment"]["Variables"]
        for template in templates.values()
        for function in of_type(template, "AWS::Lambda::Function").values()
        if function["FunctionName"].startswith(settings.PREFIX)
    ]
    assert len(found) > 20
    assert {variables.get("OPENBLAS_NUM_THREADS") for variables in found} == {"1"}


def _tasks(flow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every state that calls a function, in a flow and in the maps of it."""
    for state in flow["States"].values():
        if state["Type"] == "Map":
            yield from _tasks(state["ItemProcessor"])
        elif state["Type"] == "Task" and ":states:::" not in state["Resource"]:
            yield state


def test_not_one_file_may_fail(templates: dict[str, Template]) -> None:
    convert = states(templates[INGEST])["States"]["Convert"]
    # Left out means 0.
    assert not [key for key in convert if key.startswith("Tolerated")]
    assert convert["ItemReader"]["Parameters"]["Key.$"] == "$.plan_key"
    assert convert["ResultPath"] == "$.conversion"


@pytest.mark.parametrize("stack", [INGEST, ONBOARDING])
def test_every_step_that_fails_is_reported(templates: dict[str, Template], stack: str) -> None:
    for name, state in states(templates[stack])["States"].items():
        if state["Type"] in ("Task", "Map") and name != "ReportFailure":
            last = state["Catch"][-1]
            assert last["ErrorEquals"] == ["States.ALL"]
            assert last["ResultPath"] == "$.failure"
            expected = "ReconciliationUnavailable" if name == "Reconcile" else "ReportFailure"
            assert last["Next"] == expected


def test_only_what_passes_by_itself_is_retried(templates: dict[str, Template]) -> None:
    lasting = set(errors.names(errors.CustomerActionError, errors.Defect, errors.UsageError))
    for name, state in states(templates[INGEST])["States"].items():
        retried = {error for retry in state.get("Retry", []) for error in retry["ErrorEquals"]}
        assert not retried & lasting, name


def test_a_defect_in_reconciling_fails_the_execution(templates: dict[str, Template]) -> None:
    first, _ = states(templates[INGEST])["States"]["Reconcile"]["Catch"]
    assert first["ErrorEquals"] == errors.names(errors.Defect)
    assert first["Next"] == "ReportFailure"


def test_onboarding_waits_for_iam_before_it_gives_up(templates: dict[str, Template]) -> None:
    found = states(templates[ONBOARDING])["States"]
    for name, error in (("Verify", "ConnectionRefused"), ("CheckPermissions", "PermissionDenied")):
        assert any(error in retry["ErrorEquals"] for retry in found[name]["Retry"])


def test_sweep_is_started_four_times_a_day_and_by_the_scheduler_alone(
    templates: dict[str, Template],
) -> None:
    template = templates[SWEEP]
    schedule = only(template, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(6 hours)"
    assert schedule["Target"]["DeadLetterConfig"]["Arn"]
    role = schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]
    (trusted,) = of_type(template, "AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trusted["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }
    assert {action for action, _ in role_grants(template, role)} == {
        "states:StartExecution",
        "sqs:SendMessage",
    }
    assert all("*" not in resource for _, resource in role_grants(template, role))


def test_sweep_takes_accounts_in_batches_and_no_batch_stops_another(
    templates: dict[str, Template],
) -> None:
    found = states(templates[SWEEP])["States"]
    sweep = found["SweepAccounts"]
    assert sweep["ToleratedFailurePercentage"] == 100
    assert sweep["ItemBatcher"]["MaxItemsPerBatch"] == STAGES["production"].sweep_batch
    assert sweep["ItemReader"]["Parameters"]["Key.$"] == "$.accounts_key"
    assert sweep["Next"] == "Report"
    assert found["Report"]["Next"] == "Compare?"
    assert found["Compare?"]["Default"] == "Whole?"
    assert found["Whole?"]["Default"] == "Incomplete"
    assert found["Incomplete"]["Type"] == "Fail"


def test_a_month_that_cannot_be_compared_is_told_and_stops_no_other(
    templates: dict[str, Template],
) -> None:
    compare = states(templates[SWEEP])["States"]["CompareMonths"]
    inside = compare["ItemProcessor"]["States"]
    (caught,) = inside["CompareMonth"]["Catch"]
    assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], "MonthNotCompared")
    assert compare["ToleratedFailurePercentage"] == 100
    assert compare["Next"] == "ReportComparisons"
    assert "Catch" not in inside["MonthNotCompared"]


def test_a_period_is_compared_again_after_a_rollback_and_a_repair(
    templates: dict[str, Template],
) -> None:
    template = templates[INGEST]
    found = states(template, settings.RECONCILE_MACHINE)
    compare = found["States"][found["StartAt"]]
    (caught,) = compare["Catch"]
    assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], "PeriodNotCompared")
    assert "Catch" not in found["States"]["PeriodNotCompared"]
    rules = [
        rule
        for rule in of_type(template, "AWS::Events::Rule").values()
        if rule["EventPattern"]["source"] == ["cloudspend"]
    ]
    patterns = [rule["EventPattern"] for rule in rules]
    assert {p["detail-type"][0]: p.get("detail") for p in patterns} == {
        "PeriodRolledBack": None,
        "PartitionRepaired": {
            "details": {"table": ["cost_and_usage"], "generation": [{"prefix": "2"}]}
        },
    }
    (machine,) = [
        name
        for name, one in of_type(template, "AWS::StepFunctions::StateMachine").items()
        if one["StateMachineName"] == settings.RECONCILE_MACHINE
    ]
    for rule in rules:
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Ref": machine}
        assert set(target["InputTransformer"]["InputPathsMap"].values()) == {
            "$.detail.account.id",
            "$.detail.details.period",
            "$.detail.details.generation",
        }
        assert target["DeadLetterConfig"]
        role = target["RoleArn"]["Fn::GetAtt"][0]
        assert role_grants(template, role) == {("states:StartExecution", f"<{machine}>")}


def test_a_sweep_follows_each_deployment_of_the_tables(templates: dict[str, Template]) -> None:
    template = templates[SWEEP]
    rule = only(template, "AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]
    assert rule["EventPattern"]["source"] == ["aws.cloudformation"]
    assert "stack/cloudspend-lake/" in plain(detail["stack-id"][0]["prefix"])
    assert detail["status-details"] == {"status": ["UPDATE_COMPLETE"]}
    (target,) = rule["Targets"]
    (machine,) = of_type(template, "AWS::StepFunctions::StateMachine")
    assert target["Arn"] == {"Ref": machine}
    role = target["RoleArn"]["Fn::GetAtt"][0]
    assert role_grants(template, role) == {("states:StartExecution", f"<{machine}>")}


def test_the_platform_deploys_only_where_customers_exports_can_be_made(
    templates: dict[str, Template],
) -> None:
    (assertion,) = templates[LAKE]["Rules"]["HomeRegion"]["Assertions"]
    assert assertion["Assert"] == {
        "Fn::Contains": [["us-east-1", "cn-northwest-1"], {"Ref": "AWS::Region"}]
    }
    assert "us-east-1" in assertion["AssertDescription"]


def test_what_was_deleted_from_the_lake_can_be_brought_back_for_a_while(
    templates: dict[str, Template],
) -> None:
    (lake,) = [
        properties
        for logical, properties in of_type(templates[LAKE], "AWS::S3::Bucket").items()
        if logical.startswith("Lake")
    ]
    rules = lake["LifecycleConfiguration"]["Rules"]
    (kept,) = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert kept["NoncurrentVersionExpiration"]["NoncurrentDays"] == settings.VERSIONS_KEPT_DAYS
    assert "Prefix" not in kept
    assert any(rule.get("ExpiredObjectDeleteMarker") is True for rule in rules)
    expiring = {rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"collects/", "sweeps/"}


def _denies_plain_http(template: Template, bucket: str) -> bool:
    for policy in of_type(template, "AWS::S3::BucketPolicy").values():
        if policy["Bucket"] == {"Ref": bucket}:
            return any(
                one["Effect"] == "Deny"
                and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
                for one in policy["PolicyDocument"]["Statement"]
            )
    return False
