"""The local cloud's own promises, shown on a running one."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudspend.errors import UsageError
from local.machine import LocalCloud

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

PLATFORM, CUSTOMER, STRANGER = "000000000000", "111111111111", "999999999999"
REGION = "us-east-1"

HANDLER = """
import json, os, time, urllib.request
import boto3

class DeliveryError(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise DeliveryError("the file is truncated")
    if event.get("die"):
        os._exit(9)
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if "Records" in event:
        request = json.loads(event["Records"][0]["Sns"]["Message"])
        accepted = request["ResourceProperties"]["Token"] == "good"
        answer = {
            "Status": "SUCCESS" if accepted else "FAILED", "Reason": "the token is unknown",
            "PhysicalResourceId": "registration", "StackId": request["StackId"],
            "RequestId": request["RequestId"],
            "LogicalResourceId": request["LogicalResourceId"],
            "Data": {"Host": request["ResponseURL"].rsplit("/", 3)[0]},
        }
        urllib.request.urlopen(urllib.request.Request(
            request["ResponseURL"], json.dumps(answer).encode(), method="PUT"))
        return None
    if event.get("who"):
        return boto3.client("sts").get_caller_identity()["Arn"]
    if event.get("list"):
        boto3.client("s3").list_buckets()
    return {"pid": os.getpid(), **event}
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud.start() as running:
        yield running


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> str:
    """A function of the platform account whose role may do nothing."""
    return deployed(cloud, "task", "task.handler")


def deployed(cloud: LocalCloud, name: str, handler: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("task.py", HANDLER)
    answer = (
        cloud.session()
        .client("lambda")
        .create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler=handler,
            Role=role(cloud, PLATFORM, "task-role", {"Service": "lambda.amazonaws.com"}),
            Code={"ZipFile": archive.getvalue()},
            Timeout=30,
        )
    )
    return str(answer["FunctionArn"])


@pytest.fixture
def machine(cloud: LocalCloud) -> Callable[[dict[str, Any]], str]:
    client = cloud.session().client("stepfunctions")
    arn = role(cloud, PLATFORM, "machine-role", {"Service": "states.amazonaws.com"})

    def create(states: dict[str, Any]) -> str:
        name = f"machine-{time.monotonic_ns()}"
        definition = json.dumps({"StartAt": next(iter(states)), "States": states})
        created = client.create_state_machine(name=name, definition=definition, roleArn=arn)
        return str(created["stateMachineArn"])

    return create


def role(cloud: LocalCloud, account: str, name: str, trusted: Any, **condition: Any) -> str:
    iam = cloud.session(account).client("iam")
    statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole", **condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)
    except iam.exceptions.EntityAlreadyExistsException:
        created = iam.get_role(RoleName=name)
    return str(created["Role"]["Arn"])


def eventually(look: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def run(cloud: LocalCloud, machine_arn: str, given: Any = None) -> dict[str, Any]:
    client = cloud.session().client("stepfunctions")
    started = client.start_execution(stateMachineArn=machine_arn, input=json.dumps(given or {}))
    return ended(cloud, started["executionArn"])


def ended(cloud: LocalCloud, execution: str) -> dict[str, Any]:
    client = cloud.session().client("stepfunctions")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    return dict(eventually(look))


def call(function: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": function, "End": True, **more}


# --- Starting ------------------------------------------------------------------------------------


def test_a_taken_port_is_said_in_a_sentence(cloud: LocalCloud) -> None:
    with pytest.raises(UsageError, match=f"Port {cloud.port} is taken"):
        LocalCloud.start(cloud.port)


def test_clients_of_a_session_ignore_the_environment(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert cloud.session(CUSTOMER).client("sts").get_caller_identity()["Account"] == CUSTOMER


# --- IAM -----------------------------------------------------------------------------------------


def test_only_the_right_external_id_opens_a_role(cloud: LocalCloud) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "right"}}
    arn = role(cloud, CUSTOMER, "guarded", {"AWS": PLATFORM}, Condition=condition)

    def assume(account: str, **more: str) -> Any:
        sts = cloud.session(account).client("sts")
        return sts.assume_role(RoleArn=arn, RoleSessionName="test", **more)

    assert assume(PLATFORM, ExternalId="right")["Credentials"]
    for account, more in (
        (PLATFORM, {"ExternalId": "wrong"}),
        (PLATFORM, {}),
        (STRANGER, {"ExternalId": "right"}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            assume(account, **more)


def a_reader(cloud: LocalCloud, *statements: dict[str, Any]) -> boto3.Session:
    """A federated session of a user that may do this, narrowed to the S3 of it and KMS."""
    iam = cloud.session(CUSTOMER).client("iam")
    name = f"reader-{time.monotonic_ns()}"
    iam.create_user(UserName=name)
    named = f"arn:aws:sts::{CUSTOMER}:federated-user/visitor-*"
    federate = {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": named}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [federate, *statements]})
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=policy)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    sts = boto3.client(
        "sts",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="GetFederationToken"):
        sts.get_federation_token(Name="somebody-else", Policy=policy)
    narrowed = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    token = sts.get_federation_token(
        Name="visitor-1", Policy=json.dumps({"Version": "2012-10-17", "Statement": [narrowed]})
    )["Credentials"]
    return boto3.Session(
        token["AccessKeyId"], token["SecretAccessKey"], token["SessionToken"], REGION
    )


def test_an_encrypted_object_is_read_with_its_key_and_what_iam_is_asked_is_kept(
    cloud: LocalCloud,
) -> None:
    owner = cloud.session(CUSTOMER)
    key = owner.client("kms").create_key()["KeyMetadata"]["Arn"]
    owner.client("s3").create_bucket(Bucket="sealed")
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    owner.client("s3").put_bucket_encryption(
        Bucket="sealed",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": by_key}]
        },
    )
    owner.client("s3").put_object(Bucket="sealed", Key="a/bill", Body=b"content")
    objects = "arn:aws:s3:::sealed/*"
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects}
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    by_s3, by_others = (
        decrypt | {"Condition": {"StringEquals": {"kms:ViaService": f"{via}.amazonaws.com"}}}
        for via in (f"s3.{REGION}", f"sqs.{REGION}")
    )

    def look(*statements: dict[str, Any]) -> bytes:
        s3 = a_reader(cloud, *statements).client("s3", endpoint_url=cloud.endpoint)
        s3.head_object(Bucket="sealed", Key="a/bill")
        return bytes(s3.get_object(Bucket="sealed", Key="a/bill")["Body"].read())

    cloud.control("asked", {"account": CUSTOMER})
    for statements in ((read,), (read, by_others)):
        with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
            look(*statements)
    assert look(read, by_s3) == b"content"

    kept = cloud.control("asked")
    visitor = f"arn:aws:sts::{CUSTOMER}:federated-user/visitor-1"
    said = {
        (one["action"], one["resource"], one["allowed"]) for one in kept if one["caller"] == visitor
    }
    assert said == {
        ("s3:GetObject", "arn:aws:s3:::sealed/a/bill", True),
        ("kms:Decrypt", key, False),
        ("kms:Decrypt", key, True),
    }
    asked = {one["resource"] for one in kept if one["action"] == "sts:GetFederationToken"}
    assert asked == {
        f"arn:aws:sts::{CUSTOMER}:federated-user/{name}" for name in ("visitor-1", "somebody-else")
    }
    assert not [one for one in kept if one["caller"].endswith(":root")]
    assert cloud.control("asked", method="DELETE") == []
    owner.client("s3").get_object(Bucket="sealed", Key="a/bill")
    assert cloud.control("asked") == []


def test_a_function_acts_as_its_role(cloud: LocalCloud, function: str) -> None:
    client = cloud.session().client("lambda")
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"who": True}))
    assert "assumed-role/task-role/" in answer["Payload"].read().decode()
    denied = client.invoke(FunctionName=function, Payload=json.dumps({"list": True}))
    assert "AccessDenied" in json.loads(denied["Payload"].read())["errorMessage"]


# --- Lambda and Step Functions -------------------------------------------------------------------


def test_a_function_stays_warm_also_when_it_fails(cloud: LocalCloud, function: str) -> None:
    client = cloud.session().client("lambda")

    def invoke(event: Any) -> Any:
        return json.loads(
            client.invoke(FunctionName=function, Payload=json.dumps(event))["Payload"].read()
        )

    first = invoke({})["pid"]
    assert invoke({"fail": True})["errorType"] == "DeliveryError"
    assert invoke({})["pid"] == first


def test_a_process_that_ends_is_called_as_lambda_calls_it_and_replaced(
    cloud: LocalCloud, function: str
) -> None:
    client = cloud.session().client("lambda")
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"die": True}))
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ExitError"
    assert "FunctionError" not in client.invoke(FunctionName=function, Payload="{}")


def test_a_process_that_does_not_start_says_why_each_time(cloud: LocalCloud) -> None:
    broken = deployed(cloud, "broken", "elsewhere.handler")
    client = cloud.session().client("lambda")
    for _ in range(2):
        said = json.loads(client.invoke(FunctionName=broken)["Payload"].read())
        assert said["errorType"] == "Runtime.ExitError"
        assert "No module named 'elsewhere'" in said["errorMessage"]


def test_an_exception_is_caught_by_its_class_name(
    cloud: LocalCloud, function: str, machine: Callable[[dict[str, Any]], str]
) -> None:
    catch = [{"ErrorEquals": ["DeliveryError"], "ResultPath": "$.failure", "Next": "Caught"}]
    arn = machine(
        {
            "Try": {"Type": "Task", "Resource": function, "Catch": catch, "Next": "Missed"},
            "Missed": {"Type": "Fail"},
            "Caught": {"Type": "Succeed"},
        }
    )
    found = run(cloud, arn, {"fail": True})
    assert found["status"] == "SUCCEEDED"
    failure = json.loads(found["output"])["failure"]
    assert failure["Error"] == "DeliveryError"
    assert json.loads(failure["Cause"])["errorMessage"] == "the file is truncated"


def test_a_retry_waits_no_longer_than_its_maximum(
    cloud: LocalCloud, function: str, machine: Any
) -> None:
    retry = [
        {
            "ErrorEquals": ["DeliveryError"],
            "IntervalSeconds": 60,
            "MaxDelaySeconds": 1,
            "MaxAttempts": 1,
        }
    ]
    found = run(cloud, machine({"Fails": call(function, Retry=retry)}), {"fail": True})
    assert found["status"] == "FAILED"


def test_a_state_machine_waits_for_its_query(cloud: LocalCloud, machine: Any) -> None:
    cloud.session().client("s3").create_bucket(Bucket="answers")
    query = {"QueryString.$": "$.query", "WorkGroup": "primary"}
    output = {"ResultConfiguration": {"OutputLocation": "s3://answers/"}}
    arn = machine(
        {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
                "Parameters": {**query, **output},
                "ResultPath": "$.athena",
                "Next": "Read",
            },
            "Read": {
                "Type": "Task",
                "Resource": "arn:aws:states:::athena:getQueryResults",
                "Parameters": {"QueryExecutionId.$": "$.athena.QueryExecution.QueryExecutionId"},
                "ResultSelector": {"answer.$": "$.ResultSet.Rows[1].Data[0].VarCharValue"},
                "ResultPath": "$.sums",
                "End": True,
            },
        }
    )
    found = run(cloud, arn, {"query": "SELECT 42 AS answer"})
    assert json.loads(found["output"])["sums"] == {"answer": "42"}, found
    failed = run(cloud, arn, {"query": "SELECT missing FROM nowhere"})
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")


def distributed(function: str, **more: Any) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    states = {"StartAt": "One", "States": {"One": call(function)}}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "results", "Key.$": "$.key"},
    }
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "results", "Prefix.$": "$.prefix"},
    }
    state = {
        "Type": "Map",
        "ItemProcessor": {**config, **states},
        "ItemReader": reader,
        "ResultWriter": writer,
        "ResultPath": "$.conversion",
        "End": True,
        **more,
    }
    return {"Each": state}


@pytest.fixture
def items(cloud: LocalCloud) -> Callable[[list[Any]], dict[str, str]]:
    s3 = cloud.session().client("s3")
    s3.create_bucket(Bucket="results")

    def put(rows: list[Any]) -> dict[str, str]:
        name = f"plan-{time.monotonic_ns()}"
        s3.put_object(Bucket="results", Key=f"{name}.json", Body=json.dumps(rows).encode())
        return {"key": f"{name}.json", "prefix": f"runs/{name}"}

    return put


def read(cloud: LocalCloud, key: str) -> Any:
    return json.loads(
        cloud.session().client("s3").get_object(Bucket="results", Key=key)["Body"].read()
    )


def test_a_distributed_map_writes_each_childs_result(
    cloud: LocalCloud, function: str, machine: Any, items: Any
) -> None:
    given = items([{"task": 0}, {"task": 1}])
    found = run(cloud, machine(distributed(function)), given)
    output = json.loads(found["output"])
    assert output["key"] == given["key"], "the state's input stays next to its result"
    details = output["conversion"]["ResultWriterDetails"]
    assert details["Key"].startswith(given["prefix"] + "/")
    files = read(cloud, details["Key"])["ResultFiles"]
    rows = read(cloud, files["SUCCEEDED"][0]["Key"])
    assert sorted(json.loads(row["Output"])["task"] for row in rows) == [0, 1]
    assert files["FAILED"] == []


def test_a_failing_child_fails_the_map_and_is_named_in_its_files(
    cloud: LocalCloud, function: str, machine: Any, items: Any
) -> None:
    given = items([{"task": 0}, {"fail": True}])
    found = run(cloud, machine(distributed(function)), given)
    assert (found["status"], found["error"]) == (
        "FAILED",
        "States.ExceedToleratedFailureThreshold",
    )
    s3 = cloud.session().client("s3")
    keys = [
        o["Key"] for o in s3.list_objects_v2(Bucket="results", Prefix=given["prefix"])["Contents"]
    ]
    failed = next(key for key in keys if key.endswith("FAILED_0.json"))
    assert read(cloud, failed)[0]["Error"] == "DeliveryError"


def test_a_map_hands_out_batches(
    cloud: LocalCloud, function: str, machine: Any, items: Any
) -> None:
    given = items([{"task": number} for number in range(3)])
    state = distributed(
        function, ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"of.$": "$.key"}}
    )
    found = run(cloud, machine(state), given)
    manifest = json.loads(found["output"])["conversion"]["ResultWriterDetails"]["Key"]
    rows = read(cloud, read(cloud, manifest)["ResultFiles"]["SUCCEEDED"][0]["Key"])
    inputs = [json.loads(row["Input"]) for row in rows]
    assert sorted(len(batch["Items"]) for batch in inputs) == [1, 2]
    assert {batch["BatchInput"]["of"] for batch in inputs} == {given["key"]}


def test_a_stopped_execution_starts_nothing_more(
    cloud: LocalCloud, function: str, machine: Any
) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5}]
    arn = machine(
        {
            "Slow": {"Type": "Task", "Resource": function, "Next": "Bad", "ResultPath": None},
            "Bad": {"Type": "Pass", "Parameters": {"fail": True}, "Next": "Fails"},
            "Fails": call(function, Retry=retry),
        }
    )
    client = cloud.session().client("stepfunctions")
    execution = client.start_execution(stateMachineArn=arn, input='{"sleep": 0.2}')["executionArn"]

    def history() -> list[str]:
        events = client.get_execution_history(executionArn=execution)["events"]
        return [event["type"] for event in events]

    eventually(lambda: "TaskFailed" in history())
    client.stop_execution(executionArn=execution)
    after = history()
    time.sleep(1.5)
    assert history() == after
    assert after[-1] == "ExecutionAborted"
    assert ended(cloud, execution)["status"] == "ABORTED"


# --- Glue ----------------------------------------------------------------------------------------


def test_a_partition_is_moved_by_one_call(cloud: LocalCloud) -> None:
    glue = cloud.session().client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    keys = [{"Name": "period", "Type": "string"}]
    glue.create_table(DatabaseName="lake", TableInput={"Name": "cost", "PartitionKeys": keys})
    where = {"DatabaseName": "lake", "TableName": "cost"}

    def given(location: str) -> dict[str, Any]:
        return {"Values": ["2026-10"], "StorageDescriptor": {"Location": location}}

    def update() -> None:
        glue.update_partition(
            **where, PartitionValueList=["2026-10"], PartitionInput=given("s3://lake/b/")
        )

    with pytest.raises(glue.exceptions.EntityNotFoundException):
        update()
    glue.create_partition(**where, PartitionInput=given("s3://lake/a/"))
    update()
    found = glue.get_partition(**where, PartitionValues=["2026-10"])["Partition"]
    assert found["StorageDescriptor"]["Location"] == "s3://lake/b/"
    missing = glue.batch_delete_partition(
        **where, PartitionsToDelete=[{"Values": ["2026-10"]}, {"Values": ["2026-09"]}]
    )
    assert [error["PartitionValues"] for error in missing["Errors"]] == [["2026-09"]]
    assert glue.get_partitions(**where)["Partitions"] == []


# --- Events across accounts ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def arrivals(cloud: LocalCloud) -> Callable[[], list[dict[str, Any]]]:
    """The events that reach the platform's bus `deliveries`, whose policy lets S3 events in."""
    session = cloud.session()
    sqs, events = session.client("sqs"), session.client("events")
    policy = {
        "Type": "AWS::Events::EventBusPolicy",
        "Properties": {
            "EventBusName": {"Ref": "Bus"},
            "StatementId": "deliveries",
            "Statement": {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
                "Condition": {
                    "StringEquals": {
                        "events:source": "aws.s3",
                        "events:detail-type": "Object Created",
                    }
                },
            },
        },
    }
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "deliveries"}}
    create_stack(cloud, PLATFORM, "deliveries", {"Bus": bus, "Policy": policy})
    url = sqs.create_queue(QueueName="arrivals")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allow]})}
    )
    pattern = json.dumps({"version": ["0"]})
    events.put_rule(Name="all", EventBusName="deliveries", EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName="deliveries", Targets=[{"Id": "queue", "Arn": arn}])

    def receive() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    return receive


BUS = f"arn:aws:events:{REGION}:{PLATFORM}:event-bus/deliveries"


def forward(cloud: LocalCloud, source: str) -> None:
    events = cloud.session(CUSTOMER).client("events")
    events.put_rule(Name=f"forward-{source}", EventPattern=json.dumps({"source": [source]}))
    target = {"Id": "platform", "Arn": BUS, "RoleArn": f"arn:aws:iam::{CUSTOMER}:role/forward"}
    events.put_targets(Rule=f"forward-{source}", Targets=[target])


def test_a_customers_s3_event_reaches_the_platforms_bus(cloud: LocalCloud, arrivals: Any) -> None:
    forward(cloud, "aws.s3")
    s3 = cloud.session(CUSTOMER).client("s3")
    s3.create_bucket(Bucket="customer-export")
    s3.put_bucket_notification_configuration(
        Bucket="customer-export", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="customer-export", Key="a/b-Manifest.json", Body=b"{}")
    event = eventually(arrivals)[0]
    assert event["account"] == CUSTOMER
    assert event["detail"]["object"]["key"] == "a/b-Manifest.json"


def test_the_bus_policys_conditions_keep_other_events_out(cloud: LocalCloud, arrivals: Any) -> None:
    forward(cloud, "forged")
    entry = {"Source": "forged", "DetailType": "Object Created", "Detail": "{}"}
    events = cloud.session(CUSTOMER).client("events")
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    direct = events.put_events(Entries=[{**entry, "EventBusName": BUS}])
    assert direct["Entries"][0]["ErrorCode"] == "AccessDeniedException"
    as_aws = events.put_events(Entries=[{**entry, "Source": "aws.s3", "EventBusName": BUS}])
    assert as_aws["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    time.sleep(0.5)
    assert arrivals() == []


# --- CloudFormation and SNS ----------------------------------------------------------------------


def create_stack(cloud: LocalCloud, account: str, name: str, resources: Any) -> dict[str, Any]:
    client = cloud.session(account).client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    return dict(eventually(look, 30))


@pytest.fixture(scope="module")
def registration(cloud: LocalCloud, function: str) -> str:
    """A topic that any account may publish to, with the function behind it."""
    sns = cloud.session().client("sns")
    arn = str(sns.create_topic(Name="registration")["TopicArn"])
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": arn}
    policy = json.dumps({"Statement": [allow]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function)
    return arn


def custom_resource(topic: str, token: str) -> dict[str, Any]:
    properties = {"ServiceToken": topic, "Token": token, "ServiceTimeout": 20}
    return {"Register": {"Type": "Custom::Registration", "Properties": properties}}


def test_a_custom_resource_is_answered_from_another_account(
    cloud: LocalCloud, registration: str
) -> None:
    found = create_stack(cloud, CUSTOMER, "welcome", custom_resource(registration, "good"))
    assert found["StackStatus"] == "CREATE_COMPLETE"
    client = cloud.session(CUSTOMER).client("cloudformation")
    detail = client.describe_stack_resource(StackName="welcome", LogicalResourceId="Register")
    assert detail["StackResourceDetail"]["PhysicalResourceId"] == "registration"
    client.delete_stack(StackName="welcome")


def test_a_refused_custom_resource_fails_the_stack_with_the_reason(
    cloud: LocalCloud, registration: str
) -> None:
    found = create_stack(cloud, CUSTOMER, "refused", custom_resource(registration, "bad"))
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    client = cloud.session(CUSTOMER).client("cloudformation")
    events = client.describe_stack_events(StackName="refused")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert any("the token is unknown" in reason for reason in reasons)


def test_a_topic_that_does_not_let_the_account_in_fails_the_stack(cloud: LocalCloud) -> None:
    closed = cloud.session().client("sns").create_topic(Name="closed")["TopicArn"]
    found = create_stack(cloud, CUSTOMER, "shut-out", custom_resource(closed, "good"))
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_report_definition_of_a_stack_is_known_to_cur(cloud: LocalCloud) -> None:
    properties = {
        "ReportName": "bill",
        "TimeUnit": "DAILY",
        "Format": "textORcsv",
        "Compression": "GZIP",
        "S3Bucket": "customer-export",
        "S3Prefix": "cloudspend",
        "S3Region": REGION,
        "RefreshClosedReports": True,
        "ReportVersioning": "CREATE_NEW_REPORT",
        "AdditionalSchemaElements": ["RESOURCES"],
    }
    report = {"Type": "AWS::CUR::ReportDefinition", "Properties": properties}
    found = create_stack(cloud, CUSTOMER, "export", {"Report": report})
    assert found["StackStatus"] == "CREATE_COMPLETE", found
    cur = cloud.session(CUSTOMER).client("cur")
    names = [each["ReportName"] for each in cur.describe_report_definitions()["ReportDefinitions"]]
    assert names == ["bill"]


MEMBERS = ("333333333331", "333333333332", "333333333333")


def tell_organization(cloud: LocalCloud, *members: str, trusted: bool = True) -> str:
    """An organization of CUSTOMER's; returns its root's id."""
    stated = [{"id": one, "name": one, "email": f"{one}@example.com"} for one in members]
    payer = {"id": CUSTOMER, "name": "Payer", "email": "payer@example.com"}
    world = {"management": CUSTOMER, "members": [payer, *stated], "trusts_stack_sets": trusted}
    cloud.control("world", world)
    organizations = cloud.session(CUSTOMER).client("organizations")
    return str(organizations.list_roots()["Roots"][0]["Id"])


def topics(cloud: LocalCloud) -> list[str]:
    """The accounts in which the set's stack has made its topic."""
    return [
        account
        for account in (CUSTOMER, *MEMBERS)
        for one in cloud.session(account).client("sns").list_topics()["Topics"]
        if one["TopicArn"].endswith(":reached-hello")
    ]


def test_a_stack_set_follows_who_joins_and_leaves_and_is_gone_with_its_stack(
    cloud: LocalCloud,
) -> None:
    root = tell_organization(cloud, *MEMBERS[:2], trusted=False)
    topic = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"TopicName": {"Fn::Sub": "reached-${Word}"}},
    }
    within = {"Parameters": {"Word": {"Type": "String"}}, "Resources": {"Topic": topic}}
    properties = {
        "StackSetName": "members",
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "Parameters": [{"ParameterKey": "Word", "ParameterValue": "hello"}],
        "StackInstancesGroup": [
            {"DeploymentTargets": {"OrganizationalUnitIds": [root]}, "Regions": [REGION]}
        ],
        "TemplateBody": json.dumps(within),
    }
    resources = {"Members": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}}
    refused = create_stack(cloud, CUSTOMER, "members-refused", resources)
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    assert topics(cloud) == []
    tell_organization(cloud, *MEMBERS[:2])
    made = create_stack(cloud, CUSTOMER, "members", resources)
    assert made["StackStatus"] == "CREATE_COMPLETE", made
    assert topics(cloud) == list(MEMBERS[:2])
    tell_organization(cloud, *MEMBERS[1:])
    assert topics(cloud) == list(MEMBERS[1:])
    [found] = cloud.control("stack-sets")
    assert [one["account"] for one in found["instances"]] == list(MEMBERS[1:])
    cloudformation = cloud.session(CUSTOMER).client("cloudformation")
    cloudformation.delete_stack(StackName="members")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=made["StackId"], WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
    )
    assert topics(cloud) == []


def test_a_self_managed_stack_set_needs_its_roles_and_tolerates_what_it_may(
    cloud: LocalCloud,
) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "reached-hello"}}
    properties = {
        "StackSetName": "named",
        "PermissionModel": "SELF_MANAGED",
        "OperationPreferences": {"FailureTolerancePercentage": 50},
        "StackInstancesGroup": [
            {"DeploymentTargets": {"Accounts": list(MEMBERS[:2])}, "Regions": [REGION]}
        ],
        "TemplateBody": json.dumps({"Resources": {"Topic": topic}}),
    }
    resources = {"Members": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}}
    refused = create_stack(cloud, CUSTOMER, "without-administrator", resources)
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    administrator = role(
        cloud,
        CUSTOMER,
        "AWSCloudFormationStackSetAdministrationRole",
        {"Service": "cloudformation.amazonaws.com"},
    )
    refused = create_stack(cloud, CUSTOMER, "without-execution", resources)
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    assert topics(cloud) == []
    execution = "AWSCloudFormationStackSetExecutionRole"
    role(cloud, MEMBERS[0], execution, {"AWS": administrator})
    made = create_stack(cloud, CUSTOMER, "named", resources)
    assert made["StackStatus"] == "CREATE_COMPLETE", made
    assert topics(cloud) == [MEMBERS[0]]
    [found] = [one for one in cloud.control("stack-sets") if one["name"] == "named"]
    assert [one["why"] for one in found["instances"]] == [
        "",
        f"Account {MEMBERS[1]} should have '{execution}' role",
    ]


def test_recorded_resources_are_listed_as_such(cloud: LocalCloud) -> None:
    alarm = {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "Properties": {"AlarmName": "all", "AlarmRule": "FALSE"},
    }
    assert (
        create_stack(cloud, PLATFORM, "alarm", {"Alarm": alarm})["StackStatus"] == "CREATE_COMPLETE"
    )
    found = cloud.control("status")
    assert {"account": PLATFORM, "region": REGION, "type": alarm["Type"], "id": "all"} in found[
        "recorded_only"
    ]
    assert "alarm" in [stack["name"] for stack in found["stacks"]]


def test_mail_subscribers_find_their_messages_in_the_inbox(cloud: LocalCloud) -> None:
    sns = cloud.session().client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    only = json.dumps({"severity": ["critical"]})
    sns.subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint="ops@example.com",
        Attributes={"FilterPolicy": only},
    )
    for severity in ("info", "critical"):
        attributes = {"severity": {"DataType": "String", "StringValue": severity}}
        sns.publish(
            TopicArn=topic,
            Subject=f"A {severity} alert",
            Message="Look.",
            MessageAttributes=attributes,
        )
    mails = cloud.control("inbox")
    assert [(mail["to"], mail["subject"], mail["text"]) for mail in mails] == [
        ("ops@example.com", "A critical alert", "Look.")
    ]
    assert cloud.control("inbox", method="DELETE") == []


# --- Faults --------------------------------------------------------------------------------------


def test_a_fault_hits_as_often_as_it_was_asked_for(cloud: LocalCloud) -> None:
    once = Config(retries={"max_attempts": 0})
    glue = cloud.session().client("glue", config=once)
    sts = cloud.session().client("sts", config=once)
    s3 = cloud.session().client("s3", config=once)
    cloud.control(
        "faults",
        [
            {"service": "glue", "operation": "GetDatabases", "code": "ThrottlingException"},
            {"service": "sts", "operation": "GetCallerIdentity", "code": "Throttling"},
            {"service": "s3", "path": "^/results", "code": "SlowDown", "status": 503},
        ],
    )
    for call_once, code in (
        (glue.get_databases, "ThrottlingException"),
        (sts.get_caller_identity, "Throttling"),
        (lambda: s3.list_objects_v2(Bucket="results"), "SlowDown"),
    ):
        with pytest.raises(ClientError) as refused:
            call_once()
        assert refused.value.response["Error"]["Code"] == code
        call_once()
    assert [fault["count"] for fault in cloud.control("faults")] == [0, 0, 0]
    cloud.control("faults", method="DELETE")
