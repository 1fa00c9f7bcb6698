"""Organizations and report definitions."""

import json
from typing import Any

import pytest

from local.billing import cur, organizations
from local.services import ServiceError, respond

PAYER, MEMBER, STRANGER = "111111111111", "222222222222", "999999999999"
DEFINITION = {
    "ReportName": "cloudspend-cur",
    "TimeUnit": "HOURLY",
    "Format": "textORcsv",
    "Compression": "GZIP",
    "AdditionalSchemaElements": ["RESOURCES"],
    "S3Bucket": "cloudspend-export-111111111111-us-east-1",
    "S3Prefix": "cloudspend",
    "S3Region": "us-east-1",
    "RefreshClosedReports": "true",
    "ReportVersioning": "CREATE_NEW_REPORT",
}


def stated(members: int = 2) -> dict[str, Any]:
    ids = [PAYER, MEMBER, *(f"{number:012d}" for number in range(members - 2))]
    return {
        "management": PAYER,
        "members": [{"id": i, "name": f"Account {i}", "email": f"a{i}@example.com"} for i in ids],
    }


def ask(operation: str, account: str, **request: Any) -> dict[str, Any]:
    body = json.dumps(request).encode()
    answer = respond("organizations", organizations.HANDLERS, operation, account, body)[2]
    found: dict[str, Any] = json.loads(answer)
    return found


def ask_cur(operation: str, account: str = PAYER, **request: Any) -> dict[str, Any]:
    answer = respond("cur", cur.HANDLERS, operation, account, json.dumps(request).encode())[2]
    found: dict[str, Any] = json.loads(answer)
    return found


def test_members_see_one_and_the_same_organization() -> None:
    organizations.door("PUT", json.dumps(stated()).encode())
    seen = [ask("DescribeOrganization", account)["Organization"] for account in (PAYER, MEMBER)]
    assert seen[0] == seen[1]
    assert seen[0]["MasterAccountId"] == PAYER


def test_only_the_management_account_lists_accounts() -> None:
    organizations.door("PUT", json.dumps(stated()).encode())
    assert [each["Id"] for each in ask("ListAccounts", PAYER)["Accounts"]] == [PAYER, MEMBER]
    assert ask("ListAccounts", MEMBER)["__type"] == "AccessDeniedException"
    described = ask("DescribeAccount", PAYER, AccountId=MEMBER)
    assert described["Account"]["Name"] == f"Account {MEMBER}"
    missing = ask("DescribeAccount", PAYER, AccountId=STRANGER)
    assert missing["__type"] == "AccountNotFoundException"


def test_accounts_come_in_pages() -> None:
    organizations.door("PUT", json.dumps(stated(25)).encode())
    first = ask("ListAccounts", PAYER)
    second = ask("ListAccounts", PAYER, NextToken=first["NextToken"])
    assert (len(first["Accounts"]), len(second["Accounts"])) == (20, 5)
    assert "NextToken" not in second
    wrong = ask("ListAccounts", PAYER, NextToken="here")
    assert wrong["__type"] == "InvalidInputException"


def test_an_account_of_no_organization_has_none() -> None:
    organizations.door("PUT", json.dumps(stated()).encode())
    answer = ask("DescribeOrganization", STRANGER)
    assert answer["__type"] == "AWSOrganizationsNotInUseException"


def test_the_door_lists_organizations_and_refuses_what_is_none() -> None:
    organizations.door("PUT", json.dumps(stated()).encode())
    assert organizations.door("GET", b"") == (200, [stated()])
    status, answer = organizations.door("PUT", json.dumps({**stated(), "management": "x"}).encode())
    assert status == 400
    assert "no member" in str(answer)
    assert organizations.door("DELETE", b"")[0] == 405


def test_members_are_told_with_state_and_time_and_whoever_follows_hears_of_each_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received: list[int] = []
    monkeypatch.setattr(organizations, "WHEN_CHANGED", [lambda: received.append(1)])
    world = {**stated(), "trusts_stack_sets": True, "delegated_administrators": [MEMBER]}
    world["members"][1] |= {"state": "SUSPENDED", "joined": "2026-11-03T10:00:00+00:00"}
    organizations.door("PUT", json.dumps(world).encode())
    assert received == [1]
    status, shown = organizations.door("GET", b"")
    assert (status, json.loads(json.dumps(shown))) == (200, [world])
    payer, member = ask("ListAccounts", PAYER)["Accounts"]
    assert (payer["State"], member["State"]) == ("ACTIVE", "SUSPENDED")
    assert "Status" not in member
    assert member["JoinedTimestamp"] == 1793700000.0


def test_a_report_of_cloudformations_is_there_for_its_account_alone() -> None:
    assert cur.create_definition(PAYER, DEFINITION) == "cloudspend-cur"
    (found,) = ask_cur("DescribeReportDefinitions")["ReportDefinitions"]
    assert found["S3Bucket"] == DEFINITION["S3Bucket"]
    assert found["RefreshClosedReports"] is True
    assert ask_cur("DescribeReportDefinitions", MEMBER) == {"ReportDefinitions": []}
    cur.delete_definition(PAYER, "cloudspend-cur")
    cur.delete_definition(PAYER, "cloudspend-cur")
    assert ask_cur("DescribeReportDefinitions") == {"ReportDefinitions": []}


def test_what_the_api_refuses_cloudformation_cannot_create() -> None:
    with pytest.raises(ServiceError, match="Compression"):
        cur.create_definition(PAYER, {**DEFINITION, "Compression": "LZMA"})


def test_names_are_unique_and_reports_are_ten_at_most() -> None:
    definition = {**DEFINITION, "RefreshClosedReports": True}
    for number in range(10):
        named = {**definition, "ReportName": f"report-{number}"}
        assert ask_cur("PutReportDefinition", ReportDefinition=named) == {}
    again = ask_cur(
        "PutReportDefinition", ReportDefinition={**definition, "ReportName": "report-1"}
    )
    assert again["__type"] == "DuplicateReportNameException"
    more = ask_cur("PutReportDefinition", ReportDefinition=definition)
    assert more["__type"] == "ReportLimitReachedException"
    first = ask_cur("DescribeReportDefinitions")
    rest = ask_cur("DescribeReportDefinitions", NextToken=first["NextToken"])
    assert len(first["ReportDefinitions"] + rest["ReportDefinitions"]) == 10


def test_reports_are_changed_and_deleted_by_name() -> None:
    definition = {**DEFINITION, "RefreshClosedReports": True}
    ask_cur("PutReportDefinition", ReportDefinition=definition)
    daily = {**definition, "TimeUnit": "DAILY"}
    name = "cloudspend-cur"
    assert ask_cur("ModifyReportDefinition", ReportName=name, ReportDefinition=daily) == {}
    renamed = {**daily, "ReportName": "other"}
    refused = ask_cur("ModifyReportDefinition", ReportName=name, ReportDefinition=renamed)
    assert refused["__type"] == "ValidationException"
    assert ask_cur("DescribeReportDefinitions")["ReportDefinitions"][0]["TimeUnit"] == "DAILY"
    assert "ResponseMessage" in ask_cur("DeleteReportDefinition", ReportName=name)
    gone = ask_cur("DeleteReportDefinition", ReportName=name)
    assert gone["__type"] == "ValidationException"
