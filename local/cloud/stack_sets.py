"""AWS::CloudFormation::StackSet: stacks in other accounts, by the rules that AWS documents.

Source: CloudFormation user guide, "StackSets concepts", "Prerequisites for using StackSets" and
"Automatic deployments for StackSets in AWS Organizations". A service-managed set belongs to the
management account of an organization that trusts StackSets, or to a delegated administrator; it
reaches the active accounts of its units and of the units below, never the management account, and
follows who joins and leaves. A self-managed set reaches the accounts that it names, by roles that
must be there.

Stacks are created by the target account itself, as StackSets does with a role there, over this
server's own port.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from local.billing import organizations
from local.billing.organizations import Organization
from local.cloud import seams
from local.control import control
from local.services import ServiceError

TYPE = "AWS::CloudFormation::StackSet"
SERVICE_MANAGED = "SERVICE_MANAGED"
ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
# An account's root may sign with any secret here.
_ANY = "test"

Properties = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]


@dataclass
class Instance:
    """A set's stack in one account: its id, or why there is none."""

    stack_id: str = ""
    reason: str = ""


@dataclass
class StackSet:
    """A set of the account `owner`. `instances` are by account and region."""

    owner: str
    region: str
    name: str
    properties: Properties
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)

    @property
    def is_service_managed(self) -> bool:
        return self.properties.get("PermissionModel") == SERVICE_MANAGED

    @property
    def follows(self) -> bool:
        """Whether it reaches accounts that join its units later."""
        return self.is_service_managed and _flag("Enabled", self.properties)

    @property
    def leaves_stacks_behind(self) -> bool:
        """Whether an account that leaves its units keeps its stack."""
        return _flag("RetainStacksOnAccountRemoval", self.properties)


# By owner, region and name.
SETS: dict[tuple[str, str, str], StackSet] = {}


def install() -> None:
    provisioners._RESOURCE_HANDLERS[TYPE] = {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }
    # Creating and deleting waits for stacks of other accounts, which this server creates.
    seams.around(stacks, "_runs_on_worker_thread", _runs_beside)
    organizations.WHEN_CHANGED.append(follow)
    control("stack-sets")(_door)


def targets(stack_set: StackSet, organization: Organization | None) -> set[tuple[str, str]]:
    """The accounts and regions in which the set is to have a stack. Raises ValueError."""
    return {
        (account, region)
        for group in stack_set.properties.get("StackInstancesGroup", ())
        for account in _accounts(stack_set, group["DeploymentTargets"], organization)
        for region in group["Regions"]
    }


def refusal(stack_set: StackSet, organization: Organization | None) -> str:
    """What StackSets says to a service-managed set that its owner may not have; or nothing."""
    delegated = stack_set.properties.get("CallAs", "SELF") == "DELEGATED_ADMIN"
    if organization is None or stack_set.owner not in (
        organization.delegated_administrators if delegated else (organization.management,)
    ):
        return (
            "You must be the management account or delegated admin account of an organization "
            "before operating a SERVICE_MANAGED stack set"
        )
    if not organization.trusts_stack_sets:
        return "You must enable organizations access to operate a service managed stack set"
    return ""


def follow() -> None:
    """Let sets with automatic deployment reach who joined their units, and leave who left them."""
    for stack_set in list(SETS.values()):
        if stack_set.follows and not refusal(stack_set, _organization(stack_set)):
            _bring_about(stack_set, keep=stack_set.leaves_stacks_behind)


def _runs_beside(original: Callable[[str], bool], resource_type: str) -> bool:
    return resource_type == TYPE or original(resource_type)


def _create(_logical_id: str, properties: Properties, _stack: str) -> Created:
    """Raises ValueError with StackSets' own words for what it refuses."""
    name = properties["StackSetName"]
    stack_set = StackSet(get_account_id(), get_region(), name, properties)
    key = (stack_set.owner, stack_set.region, name)
    if key in SETS:
        raise ValueError(f"Name already exists in Namespace {name}")
    _require(stack_set)
    try:
        _bring_about(stack_set)
    except ValueError:
        _remove_all(stack_set)
        raise
    SETS[key] = stack_set
    return f"{name}:{uuid4()}", {"StackSetId": name}


def _update(physical_id: str, old: Properties, new: Properties, _stack: str) -> Created:
    stack_set = SETS[get_account_id(), get_region(), old["StackSetName"]]
    changed = any(old.get(name) != new.get(name) for name in ("TemplateBody", "Parameters"))
    stack_set.properties = new
    _require(stack_set)
    _bring_about(stack_set, again=changed)
    return physical_id, {}


def _delete(_physical_id: str, properties: Properties) -> None:
    stack_set = SETS.pop((get_account_id(), get_region(), properties["StackSetName"]), None)
    if stack_set:
        _remove_all(stack_set)


def _require(stack_set: StackSet) -> None:
    if stack_set.is_service_managed:
        said = refusal(stack_set, _organization(stack_set))
        if said:
            raise ValueError(said)
        return
    if not _has_role(stack_set.owner, ADMINISTRATION_ROLE):
        raise ValueError(f"Account {stack_set.owner} should have '{ADMINISTRATION_ROLE}' role")


def _bring_about(stack_set: StackSet, *, again: bool = False, keep: bool = False) -> None:
    """Create, update and delete stacks until the set's are those that it is to have.

    Raises ValueError when more failed than the set's operations tolerate.
    """
    wanted = targets(stack_set, _organization(stack_set))
    for place in sorted(set(stack_set.instances) - wanted):
        if keep:
            del stack_set.instances[place]
        else:
            _remove(stack_set, place)
    for place in sorted(wanted):
        known = stack_set.instances.get(place)
        if known is None or not known.stack_id:
            stack_set.instances[place] = _deploy(stack_set, place)
        elif again:
            _redeploy(stack_set, place, known)
    failed = {place: one.reason for place, one in stack_set.instances.items() if one.reason}
    preferences = stack_set.properties.get("OperationPreferences", {})
    tolerated = len(wanted) * int(preferences.get("FailureTolerancePercentage", 0)) / 100
    if len(failed) > tolerated:
        raise ValueError(f"The operation failed in {failed}")


def _accounts(
    stack_set: StackSet, named: Mapping[str, Any], organization: Organization | None
) -> Iterator[str]:
    if not stack_set.is_service_managed or organization is None:
        yield from named.get("Accounts", ())
        return
    for unit in named["OrganizationalUnitIds"]:
        try:
            path = organization.unit_of(unit)
        except ServiceError as error:
            raise ValueError(f"Organizational unit {unit} does not exist: {error}") from error
        for member in organization.members:
            below = not path or f"{member.unit}/".startswith(f"{path}/")
            if below and member.state == "ACTIVE" and member.id != organization.management:
                yield member.id


def _deploy(stack_set: StackSet, place: tuple[str, str]) -> Instance:
    account, region = place
    if not stack_set.is_service_managed and not _has_role(account, EXECUTION_ROLE):
        return Instance(reason=f"Account {account} should have '{EXECUTION_ROLE}' role")
    client = _client(account, region)
    name = f"StackSet-{stack_set.name}-{uuid4()}"
    try:
        stack_id = str(client.create_stack(StackName=name, **_request(stack_set))["StackId"])
        return _settled(client, stack_id)
    except ClientError as error:
        return Instance(reason=str(error))


def _redeploy(stack_set: StackSet, place: tuple[str, str], known: Instance) -> None:
    client = _client(*place)
    client.update_stack(StackName=known.stack_id, **_request(stack_set))
    stack_set.instances[place] = _settled(client, known.stack_id, "stack_update_complete")


def _remove_all(stack_set: StackSet) -> None:
    for place in list(stack_set.instances):
        _remove(stack_set, place)


def _remove(stack_set: StackSet, place: tuple[str, str]) -> None:
    known = stack_set.instances.pop(place)
    if known.stack_id:
        client = _client(*place)
        client.delete_stack(StackName=known.stack_id)
        _wait(client, known.stack_id, "stack_delete_complete")


def _request(stack_set: StackSet) -> dict[str, Any]:
    return {
        "TemplateBody": stack_set.properties["TemplateBody"],
        "Parameters": list(stack_set.properties.get("Parameters", ())),
        "Capabilities": list(stack_set.properties.get("Capabilities", ())),
    }


def _settled(client: Any, stack_id: str, event: str = "stack_create_complete") -> Instance:
    try:
        _wait(client, stack_id, event)
    except ClientError as error:
        return Instance(stack_id, str(error))
    return Instance(stack_id)


def _wait(client: Any, stack_id: str, event: str) -> None:
    client.get_waiter(event).wait(
        StackName=stack_id, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
    )


def _has_role(account: str, name: str) -> bool:
    iam = _service("iam", account, "us-east-1")
    try:
        iam.get_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def _client(account: str, region: str) -> Any:
    return _service("cloudformation", account, region)


def _service(name: str, account: str, region: str) -> Any:
    """A client of this server's, as the root of `account`."""
    session = boto3.Session(account, _ANY, region_name=region)
    return session.client(name, endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}")


def _organization(stack_set: StackSet) -> Organization | None:
    return organizations.find(stack_set.owner)


def _flag(name: str, properties: Properties) -> bool:
    """As templates write it: true or "true"."""
    return str(properties.get("AutoDeployment", {}).get(name, "")).lower() == "true"


def _door(_method: str, _body: bytes) -> tuple[int, object]:
    """Every set, and where it has a stack or why not."""
    return 200, [
        {
            "owner": one.owner,
            "region": one.region,
            "name": one.name,
            "instances": [
                {"account": account, "region": region, "stack": known.stack_id, "why": known.reason}
                for (account, region), known in sorted(one.instances.items())
            ],
        }
        for one in SETS.values()
    ]
