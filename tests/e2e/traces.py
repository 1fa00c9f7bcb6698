"""What a platform still has of an account, found by listing everything and looking for its id: by a
path of its own, not by the product's lists of what it holds."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from cloudspend.offboarding.model import report_folder
from tests.e2e.scene import Scene


def traces(scene: Scene, account_id: str, *also: str) -> dict[str, list[str]]:
    """By kind of thing, the names of those that bear the account's id, or one of `also`, such as
    its display name. Kinds of which there is nothing are left out; so is the proof of its removal.
    """
    found = {
        kind: [name for name in names(scene) if _bears(name, account_id, also)]
        for kind, names in KINDS.items()
    }
    return {kind: names for kind, names in found.items() if names}


def _bears(name: str, account_id: str, also: Iterable[str]) -> bool:
    if report_folder(account_id) in name:
        return False
    return any(word.casefold() in name.casefold() for word in (account_id, *also))


def _objects(scene: Scene) -> Iterator[str]:
    """Every version in every bucket, and each bucket."""
    s3 = scene.platform.session.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        yield str(bucket["Name"])
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket["Name"]):
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield f"s3://{bucket['Name']}/{version['Key']}"


def _catalog(scene: Scene) -> Iterator[str]:
    """Every partition of every table."""
    glue = scene.platform.session.client("glue")
    for table in glue.get_tables(DatabaseName="cloudspend")["TableList"]:
        if not table.get("PartitionKeys"):
            continue
        pages = glue.get_paginator("get_partitions").paginate(
            DatabaseName="cloudspend", TableName=table["Name"]
        )
        for page in pages:
            for partition in page["Partitions"]:
                place = partition["StorageDescriptor"]["Location"]
                yield f"{table['Name']} {' '.join(partition['Values'])} {place}"


def _registry(scene: Scene) -> Iterator[str]:
    """Every item, whosoever's."""
    table = scene.platform.session.client("dynamodb")
    for page in table.get_paginator("scan").paginate(TableName="cloudspend"):
        for item in page["Items"]:
            yield json.dumps(item, default=str)


def _secrets(scene: Scene) -> Iterator[str]:
    client = scene.platform.session.client("secretsmanager")
    pages = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
    for page in pages:
        for secret in page["SecretList"]:
            yield str(secret["Name"])


def _schedules(scene: Scene) -> Iterator[str]:
    """Schedules, and rules on every bus with their targets."""
    scheduler = scene.platform.session.client("scheduler")
    for page in scheduler.get_paginator("list_schedules").paginate():
        for one in page["Schedules"]:
            found = scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"])
            yield json.dumps(found, default=str)
    events = scene.platform.session.client("events")
    for bus in events.list_event_buses()["EventBuses"]:
        for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])
            yield json.dumps([rule, targets["Targets"]], default=str)


def _at_work(scene: Scene) -> Iterator[str]:
    """Executions that have not ended."""
    client = scene.platform.session.client("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        running = client.list_executions(
            stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
        )
        yield from (str(one["executionArn"]) for one in running["executions"])


AT_WORK = "executions"
KINDS: Mapping[str, Callable[[Scene], Iterator[str]]] = {
    "objects": _objects,
    "catalog": _catalog,
    "registry": _registry,
    "secrets": _secrets,
    "schedules": _schedules,
    AT_WORK: _at_work,
}
