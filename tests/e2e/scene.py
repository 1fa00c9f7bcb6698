"""What the end-to-end tests do and see, in the words of the people who would do it."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from unittest.mock import patch

import yaml
from typer.testing import CliRunner

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.accounts.invite import EXPORT_NAMES
from cloudspend.accounts.model import ExportKind
from cloudspend.alerts.event import Event
from cloudspend.cli.main import command_line
from cloudspend.exports.tables import EXPORT_TABLES
from cloudspend.settings import EVENT_BUS, EVENT_SOURCE
from local.platform import ENDED, Platform
from local.world import console
from local.world.bill import Bill
from local.world.delivery import Assembly, Report, assemble, post_ledger, write
from local.world.files import Form
from stacks.template_yaml import from_yaml

Template = dict[str, Any]
Row = dict[str, str]

PREFIX = "cloudspend"
RECORDER = "recorder"
STACK = "cloudspend"


@dataclass(frozen=True)
class Totals:
    """What readers see of one period: rows, cost billed, and the generations they come from."""

    rows: int
    billed: Decimal
    effective: Decimal
    generations: tuple[str, ...]


class Recorder:
    """Keeps every event of the platform's bus, as an integration of the customer's would."""

    def __init__(self, platform: Platform) -> None:
        self._sqs = platform.session.client("sqs")
        self._events: list[dict[str, Any]] = []
        self._queue = self._sqs.create_queue(QueueName=RECORDER)["QueueUrl"]
        arn = self._attributes()["QueueArn"]
        events = platform.session.client("events")
        rule = {"Name": RECORDER, "EventBusName": "cloudspend"}
        pattern = json.dumps({"source": ["cloudspend"]})
        answer = events.put_rule(**rule, EventPattern=pattern)
        self._allow(arn, answer["RuleArn"])
        events.put_targets(
            Rule=RECORDER, EventBusName="cloudspend", Targets=[{"Id": "queue", "Arn": arn}]
        )

    def all(self) -> list[dict[str, Any]]:
        """Every event so far, in the order in which they came."""
        while page := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            for message in page:
                self._events.append(json.loads(message["Body"]))
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
        return self._events

    def of(self, account_id: str, detail_type: str, **details: str) -> list[dict[str, Any]]:
        """The `detail` of each event of one kind and account with these details."""
        return [
            event["detail"]
            for event in self.all()
            if event["detail-type"] == detail_type
            and event["detail"]["account"]["id"] == account_id
            and all(event["detail"]["details"][key] == value for key, value in details.items())
        ]

    def _attributes(self) -> dict[str, str]:
        found: dict[str, str] = self._sqs.get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )["Attributes"]
        return found

    def _allow(self, queue: str, rule: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})


class Scene:
    """A deployed platform, what its bus said, and the ways to look at it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.recorder = Recorder(platform)

    def ask(self, sql: str) -> list[Row]:
        """The rows of a query in Athena, as text."""
        athena = self.platform.session.client("athena")
        started = athena.start_query_execution(
            QueryString=sql,
            WorkGroup="cloudspend",
            QueryExecutionContext={"Database": "cloudspend"},
        )["QueryExecutionId"]
        while True:
            status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"][
                "Status"
            ]
            if status["State"] in ("FAILED", "CANCELLED"):
                raise AssertionError(f"{sql}\n{status['StateChangeReason']}")
            if status["State"] == "SUCCEEDED":
                return _rows(athena.get_query_results(QueryExecutionId=started))
            time.sleep(0.05)

    def totals(self, account_id: str, period: object) -> Totals:
        """What readers see of a period, asked of the table itself."""
        rows = self.ask(
            f"""
            SELECT count(*) AS n,
                sum(CAST(billedcost AS decimal(38, 12))) AS billed,
                sum(CAST(effectivecost AS decimal(38, 12))) AS effective,
                regexp_extract("$path", 'generation=([^/]+)/', 1) AS generation
            FROM cost_and_usage
            WHERE account_id = '{account_id}' AND billing_period = '{period}'
            GROUP BY 4
            """
        )
        return Totals(
            sum(int(row["n"]) for row in rows),
            sum((Decimal(row["billed"]) for row in rows), Decimal()),
            sum((Decimal(row["effective"]) for row in rows), Decimal()),
            tuple(sorted(row["generation"] for row in rows)),
        )

    def command(self, *arguments: str) -> Any:
        """What a `cloudspend` command that must succeed prints as JSON."""
        answer = self.platform.run(*arguments, "--output", "json")
        assert answer.code == 0, answer.err
        return answer.json

    def look(self, *arguments: str) -> Any:
        """What a `cloudspend` command that only reads shows as JSON."""
        return json.loads(self.read(*arguments, "--output", "json"))

    def read(self, *arguments: str) -> str:
        """What a `cloudspend` command that only reads prints. It runs in this process, as one and
        the same operator: to start a process takes a second of a processor."""
        operator = self._operator
        with patch.object(wiring, "operator", lambda: operator):
            answer = CliRunner().invoke(
                command_line(), arguments, env=self.platform.environment, catch_exceptions=False
            )
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    @cached_property
    def _operator(self) -> wiring.Platform:
        with patch.dict(os.environ, self.platform.environment):
            return wiring.operator.__wrapped__()

    def period(self, account_id: str, period: object) -> dict[str, Any]:
        """A published period as the command line shows it."""
        found = [r for r in self.command("periods", account_id) if r["period"] == str(period)]
        assert len(found) == 1, found
        row: dict[str, Any] = found[0]
        return row

    def invoke(self, function: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call one step's function; raises AssertionError with its error's class name."""
        answer = self.platform.session.client("lambda").invoke(
            FunctionName=f"cloudspend-{function.replace('_', '-')}",
            Payload=json.dumps(body).encode(),
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read() or b"null") or {}
        assert "FunctionError" not in answer, found
        return found

    def ingests(self, account_id: str) -> list[dict[str, Any]]:
        """The account's executions of Ingest, oldest first."""
        machine = self.platform.settings.ingest_machine_arn
        found = [
            execution
            for execution in self.platform.executions(machine)
            if execution["name"].startswith(f"{account_id}_")
        ]
        return sorted(found, key=lambda execution: execution["startDate"])

    def wait_for_ingests(self, account_id: str, more_than: int) -> list[dict[str, Any]]:
        """Wait until there are more than that and all have ended; returns the new ones."""

        def ended() -> bool:
            found = self.ingests(account_id)
            return len(found) > more_than and all(e["status"] in ENDED for e in found)

        self.platform.wait_until(f"Ingest of {account_id}", ended, 180)
        return self.ingests(account_id)[more_than:]

    def expect_success(self, *executions: Mapping[str, Any]) -> None:
        """Each of these executions has succeeded. Raises AssertionError with what one failed of."""
        client = self.platform.session.client("stepfunctions")
        for execution in executions:
            stated = client.describe_execution(executionArn=execution["executionArn"])
            assert stated["status"] == "SUCCEEDED", "\n".join(self._failures(stated))

    def _failures(self, stated: Mapping[str, Any]) -> Iterator[str]:
        """What an execution failed of, and the children of its Distributed Maps, which alone know
        of a Map that tolerated no more failures why."""
        client = self.platform.session.client("stepfunctions")
        yield f"{stated['name']}: {stated.get('error')}: {stated.get('cause')}"
        runs = client.list_map_runs(executionArn=stated["executionArn"])["mapRuns"]
        for run in runs:
            children = client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")
            for child in children["executions"]:
                yield from self._failures(
                    client.describe_execution(executionArn=child["executionArn"])
                )

    def wait_for_event(self, account_id: str, kind: str, **details: str) -> dict[str, Any]:
        """The last event of this kind, waited for if it is not there yet."""
        self.platform.wait_until(
            f"{kind} of {account_id}",
            lambda: bool(self.recorder.of(account_id, kind, **details)),
        )
        return self.recorder.of(account_id, kind, **details)[-1]

    def say(self, said: Event) -> None:
        """Put an event of the platform's own on its bus."""
        entry = {
            "EventBusName": EVENT_BUS,
            "Source": EVENT_SOURCE,
            "DetailType": said.detail_type,
            "Detail": json.dumps(said.detail),
        }
        self.platform.session.client("events").put_events(Entries=[entry])

    def wait_until_gone(self, account_id: str) -> dict[str, Any]:
        """Wait until Offboard has ended for the account; returns the event that says so."""
        stated = self.wait_for_event(account_id, "AccountRemoved")
        self.platform.wait_for_quiet(self.platform.settings.offboard_machine_arn, account_id, 1)
        return stated

    def start(self, assembly: Assembly, account_id: str, name: str) -> str:
        """Start Ingest for a delivery under any name; returns the execution's ARN."""
        request = {
            p.ACCOUNT_ID: account_id,
            p.MANIFEST_BUCKET: assembly.report.bucket,
            p.MANIFEST_KEY: assembly.manifest_key,
        }
        answer = self.platform.session.client("stepfunctions").start_execution(
            stateMachineArn=self.platform.settings.ingest_machine_arn,
            name=name,
            input=json.dumps(request),
        )
        return str(answer["executionArn"])

    def wait_for_executions(self, arns: Iterable[str]) -> list[dict[str, Any]]:
        """Wait until these have ended; returns them."""
        client = self.platform.session.client("stepfunctions")
        waiting = list(arns)

        def found() -> list[dict[str, Any]]:
            return [client.describe_execution(executionArn=arn) for arn in waiting]

        self.platform.wait_until(
            ", ".join(waiting), lambda: all(each["status"] in ENDED for each in found())
        )
        return found()


class Customer:
    """An account that is no organization, and what its administrator does."""

    def __init__(
        self,
        scene: Scene,
        account_id: str,
        name: str,
        kind: ExportKind = ExportKind.CUR_LEGACY,
        form: Form = Form.GZIP,
        *,
        overwrite: bool = False,
    ) -> None:
        self.scene = scene
        self.account_id = account_id
        self.name = name
        self.session = scene.platform.cloud.session(account_id)
        bucket = f"cloudspend-export-{account_id}-us-east-1"
        self.report = Report(bucket, PREFIX, EXPORT_NAMES[kind], kind, form, overwrite)

    def invite(self) -> str:
        """The operator invites the account; returns the link."""
        answer = self.scene.command(
            *("accounts", "invite", self.account_id, "--name", self.name),
            *("--type", "LINKED", "--start-date", "2020-01-01"),
            *("--export-kind", self.report.kind),
        )
        return str(answer["link"])

    def follow(
        self,
        link: str,
        change: Callable[[Template], None] | None = None,
        stack: str = STACK,
        **parameters: str,
    ) -> str:
        """Create the stack of a link, with a template changed by its administrator.

        `parameters` replace those of the link. Returns the stack's status.
        """
        request = self._request(link, change, parameters)
        self.session.client("cloudformation").create_stack(StackName=stack, **request)
        return self._settled(stack)

    def update(self, link: str) -> str:
        """Update the stack with the template and the parameters of a link; returns its status."""
        request = self._request(link, None, {})
        self.session.client("cloudformation").update_stack(StackName=STACK, **request)
        return self._settled(STACK)

    def template(self, link: str) -> Template:
        """The template that a link leads to."""
        wanted = console.QuickCreate.parse(link)
        body = self.session.client("s3").get_object(
            Bucket=wanted.template_bucket, Key=wanted.template_key
        )["Body"]
        return from_yaml(body.read().decode())

    def _request(
        self, link: str, change: Callable[[Template], None] | None, parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        template = self.template(link)
        if change:
            change(template)
        given = {**console.QuickCreate.parse(link).parameters, **parameters}
        return {
            "TemplateBody": yaml.safe_dump(template),
            "Capabilities": list(console.CAPABILITIES),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in given.items()
            ],
        }

    def _settled(self, stack: str) -> str:
        self.scene.platform.wait_until(
            f"the stack of {self.account_id}",
            lambda: not self.stack_status(stack).endswith("_IN_PROGRESS"),
            60,
        )
        return self.stack_status(stack)

    def stack_status(self, stack: str = STACK) -> str:
        stacks = self.session.client("cloudformation").describe_stacks(StackName=stack)
        return str(stacks["Stacks"][0]["StackStatus"])

    def stack_reasons(self, stack: str = STACK) -> str:
        """Why the stack's resources failed, as the console shows it."""
        events = self.session.client("cloudformation").describe_stack_events(StackName=stack)
        return "\n".join(
            event.get("ResourceStatusReason", "")
            for event in events["StackEvents"]
            if event["ResourceStatus"].endswith("_FAILED")
        )

    def wait_until_onboarded(self) -> dict[str, Any]:
        """Wait for the end of Onboard; returns the account with its checks."""
        platform = self.scene.platform

        def ended() -> bool:
            mine = [
                execution
                for execution in platform.executions(platform.settings.onboard_machine_arn)
                if execution["name"].startswith(self.account_id)
            ]
            return bool(mine) and all(execution["status"] in ENDED for execution in mine)

        platform.wait_until(f"Onboard of {self.account_id}", ended, 180)
        return self.shown()

    def shown(self) -> dict[str, Any]:
        """The account as the command line shows it."""
        found: dict[str, Any] = self.scene.command("accounts", "show", self.account_id)
        return found

    def bring_report(self, **changes: object) -> None:
        """The account had a legacy report before: as CloudSpend makes one, but for `changes`."""
        self._bring_bucket()
        definition = {
            "ReportName": self.report.name,
            "TimeUnit": "HOURLY",
            "Format": "textORcsv",
            "Compression": "GZIP",
            "AdditionalSchemaElements": ["RESOURCES"],
            "S3Bucket": self.report.bucket,
            "S3Prefix": self.report.prefix,
            "S3Region": "us-east-1",
            "RefreshClosedReports": True,
            "ReportVersioning": "CREATE_NEW_REPORT",
            **changes,
        }
        cur = self.session.client("cur", "us-east-1")
        cur.put_report_definition(ReportDefinition=definition)

    def bring_export(
        self, *, without: str = "", parquet: bool = False, **configuration: str
    ) -> None:
        """The account had an export of its kind before: of every column but `without`."""
        self._bring_bucket()
        table = EXPORT_TABLES[self.report.kind]
        columns = ", ".join(name for name in table.columns if name != without)
        configured = {**table.configuration, **configuration}
        output = ("PARQUET", "PARQUET") if parquet else ("TEXT_OR_CSV", "GZIP")
        export = {
            "Name": self.report.name,
            "DataQuery": {
                "QueryStatement": f"SELECT {columns} FROM {table.name}",
                "TableConfigurations": {table.name: configured} if configured else {},
            },
            "DestinationConfigurations": {
                "S3Destination": {
                    "S3Bucket": self.report.bucket,
                    "S3Prefix": self.report.prefix,
                    "S3Region": "us-east-1",
                    "S3OutputConfigurations": {
                        "OutputType": "CUSTOM",
                        "Format": output[0],
                        "Compression": output[1],
                        "Overwrite": "CREATE_NEW_REPORT",
                    },
                }
            },
            "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
        }
        self.session.client("bcm-data-exports", "us-east-1").create_export(Export=export)

    def _bring_bucket(self) -> None:
        """A bucket of the account's own into which AWS may deliver."""
        s3 = self.session.client("s3")
        s3.create_bucket(Bucket=self.report.bucket)
        statement = {
            "Effect": "Allow",
            "Principal": {
                "Service": ["billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com"]
            },
            "Action": ["s3:PutObject", "s3:GetBucketPolicy"],
            "Resource": [
                f"arn:aws:s3:::{self.report.bucket}",
                f"arn:aws:s3:::{self.report.bucket}/*",
            ],
            "Condition": {"StringEquals": {"aws:SourceAccount": self.account_id}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket=self.report.bucket, Policy=json.dumps(policy))

    def assembly(self, bill: Bill) -> Assembly:
        return assemble(bill, self.report)

    def put(self, bill: Bill) -> None:
        """AWS delivers; no one waits for anything."""
        post_ledger(bill, self.scene.platform.cloud.endpoint)
        write(self.assembly(bill), self.session)

    def deliver(self, assembly: Assembly, truth: Bill | None = None) -> dict[str, Any]:
        """AWS delivers, knowing the true bill; returns the ended execution of Ingest.

        Two deliveries of a month are seconds apart, since S3's times have no fractions.
        """
        time.sleep(1.1)
        before = len(self.scene.ingests(self.account_id))
        post_ledger(truth or assembly.bill, self.scene.platform.cloud.endpoint)
        write(assembly, self.session)
        (execution,) = self.scene.wait_for_ingests(self.account_id, before)
        return execution

    def listen(self, received: bool) -> None:
        """Whether the account's own EventBridge announces new manifests."""
        events = self.session.client("events")
        for rule in events.list_rules()["Rules"]:
            (events.enable_rule if received else events.disable_rule)(Name=rule["Name"])


def bill_for(account_id: str, bill: Bill, rows_per_file: int = 120) -> Bill:
    """A small bill of three files for an account that pays for itself, from another's.

    Savings Plans are left out: a part of their rows does not add up as the whole does.
    """
    payer = bill.columns.index("bill/PayerAccountId")
    kind = bill.columns.index("lineItem/LineItemType")
    rows = [
        (*row[:payer], account_id, *row[payer + 1 :])
        for file in bill.files
        for row in file[:: max(1, len(file) // rows_per_file)]
        if not row[kind].startswith("SavingsPlan")
    ]
    third = len(rows) // 3 + 1
    files = tuple(tuple(rows[start : start + third]) for start in range(0, len(rows), third))
    return replace(bill, payer=account_id, files=files)


def hours_for(account_id: str, bill: Bill, hours: int = 8) -> Bill:
    """The bill of the month's first hours, Savings Plans and all, for an account of its own."""
    payer = bill.columns.index("bill/PayerAccountId")
    small = bill.first_hours(hours)
    files = tuple(
        tuple((*row[:payer], account_id, *row[payer + 1 :]) for row in file) for file in small.files
    )
    return replace(small, payer=account_id, files=files)


def dearer(bill: Bill, factor: str = "1.5") -> Bill:
    """The same usage at other prices, as a restated bill has it."""
    columns = ("lineItem/UnblendedCost", "pricing/publicOnDemandCost")
    changed = {bill.columns.index(column) for column in columns}
    files = tuple(
        tuple(
            tuple(
                f"{Decimal(value) * Decimal(factor):f}" if index in changed and value else value
                for index, value in enumerate(row)
            )
            for row in file
        )
        for file in bill.files
    )
    return replace(bill, files=files)


def _rows(answer: Mapping[str, Any]) -> list[Row]:
    lines = [
        [cell.get("VarCharValue", "") for cell in row["Data"]]
        for row in answer["ResultSet"]["Rows"]
    ]
    if not lines:  # a statement that defines something
        return []
    header, *rows = lines
    return [dict(zip(header, row, strict=True)) for row in rows]
