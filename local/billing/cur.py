"""Cost and Usage Reports (`cur`): the report definitions of each account.

The API exists in us-east-1 only; definitions belong to the account. CloudFormation's
`AWS::CUR::ReportDefinition` comes in through `create_definition` and `delete_definition`.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from local import awsmodel
from local.services import Members, ServiceError

# AWS Cost and Usage Reports user guide, "Quotas and restrictions".
MOST_DEFINITIONS = 10
# The only page size that DescribeReportDefinitions takes.
PAGE_SIZE = 5

_definitions: dict[str, dict[str, Members]] = defaultdict(dict)

# CloudFormation hands booleans over as text, and names what belongs to it and not to the API.
_CLOUDFORMATION_ONLY = frozenset({"ServiceToken", "Tags"})
_BOOLEANS = {"true": True, "false": False}


def clear() -> None:
    _definitions.clear()


def create_definition(account_id: str, definition: Mapping[str, Any]) -> str:
    """What CloudFormation does for `AWS::CUR::ReportDefinition`; returns the report's name.

    `definition` are the resource's properties. Raises ServiceError when AWS would refuse it.
    """
    members = {
        name: _typed(name, value)
        for name, value in definition.items()
        if name not in _CLOUDFORMATION_ONLY
    }
    # Optional for CloudFormation, required by the API (an empty list asks for nothing more).
    members.setdefault("AdditionalSchemaElements", [])
    request = {"ReportDefinition": members}
    refused = awsmodel.request_problem("cur", "PutReportDefinition", request)
    if refused:
        raise ServiceError("ValidationException", refused)
    put_report_definition(account_id, request)
    return str(members["ReportName"])


def delete_definition(account_id: str, name: str) -> None:
    """What CloudFormation does on removal; a definition that is gone already is no error."""
    _definitions[account_id].pop(name, None)


def put_report_definition(account: str, request: Members) -> Members:
    definition = request["ReportDefinition"]
    own = _definitions[account]
    name = definition["ReportName"]
    if name in own:
        raise ServiceError(
            "DuplicateReportNameException", f"A report with the name {name} already exists."
        )
    if len(own) >= MOST_DEFINITIONS:
        raise ServiceError(
            "ReportLimitReachedException", f"An account has {MOST_DEFINITIONS} reports at most."
        )
    own[name] = {"RefreshClosedReports": False, **definition}
    return {}


def modify_report_definition(account: str, request: Members) -> Members:
    name = request["ReportName"]
    if name not in _definitions[account]:
        raise ServiceError("ValidationException", f"There is no report {name}.")
    if request["ReportDefinition"]["ReportName"] != name:
        raise ServiceError("ValidationException", "The name of a report cannot be changed.")
    _definitions[account][name] = dict(request["ReportDefinition"])
    return {}


def delete_report_definition(account: str, request: Members) -> Members:
    name = request.get("ReportName", "")
    if name not in _definitions[account]:
        raise ServiceError("ValidationException", f"There is no report {name}.")
    del _definitions[account][name]
    return {"ResponseMessage": f"The report {name} was deleted."}


def describe_report_definitions(account: str, request: Members) -> Members:
    own = [_definitions[account][name] for name in sorted(_definitions[account])]
    start = int(request.get("NextToken", "0"))
    end = start + PAGE_SIZE
    answer: Members = {"ReportDefinitions": own[start:end]}
    if end < len(own):
        answer["NextToken"] = str(end)
    return answer


HANDLERS = {
    "DeleteReportDefinition": delete_report_definition,
    "DescribeReportDefinitions": describe_report_definitions,
    "ModifyReportDefinition": modify_report_definition,
    "PutReportDefinition": put_report_definition,
}


def _typed(name: str, value: Any) -> Any:
    if name == "RefreshClosedReports":
        return _BOOLEANS.get(str(value).lower(), value)
    return value
