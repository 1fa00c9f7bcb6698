"""Onboard's steps: what is proved, recorded and said."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cloudspend.access.checks import OPTIONAL, PERMISSIONS
from cloudspend.access.ports import ProbeResult
from cloudspend.accounts.members import OrganizationAccount
from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    Check,
    CheckStatus,
    Export,
    ExportKind,
    Member,
)
from cloudspend.accounts.ports import AccountChanged
from cloudspend.errors import (
    CloudSpendError,
    ConnectionRefused,
    Defect,
    PermissionDenied,
    UsageError,
    parse,
)
from cloudspend.onboarding.onboard import activate, check_permissions, report_failure, verify
from tests.fakes.access import (
    FakeCustomer,
    FakeCustomerSessions,
    FakeKeyStore,
    a_trust_policy,
    denied,
)
from tests.fakes.accounts import NOW, FakeAccounts, an_account
from tests.fakes.alerts import FakeBus

ID = "111111111111"
EVERY_ACTION = [permission.action for permission in PERMISSIONS]
ACTIONS = [permission.action for permission in PERMISSIONS if not permission.encrypted]
KEY = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d"
LINKED_ACTIONS = [action for action in ACTIONS if not action.startswith("organizations:")]


def connected(**changes: Any) -> FakeAccounts:
    return FakeAccounts(an_account(state=AccountState.CONNECTED, request_id="first", **changes))


def statuses(registry: FakeAccounts) -> dict[str, str]:
    return {check.name: check.status.value for check in registry.checks(ID)}


def verifying(**changes: Any) -> FakeAccounts:
    """An account whose connection is proved, but not yet its permissions."""
    registry = connected(**changes)
    verify(ID, registry, FakeBus(), FakeCustomerSessions(), NOW)
    return registry


def try_permissions(registry: FakeAccounts, customer: FakeCustomer) -> None:
    check_permissions(ID, registry, FakeBus(), lambda _: customer, FakeKeyStore(), NOW)


def cause(error: CloudSpendError) -> str:
    """What Step Functions hands on of an error that a Lambda function raised."""
    return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})


def test_a_good_role_is_proved_in_six_ways() -> None:
    registry, customer_sessions = connected(), FakeCustomerSessions()
    verify(ID, registry, FakeBus(), customer_sessions, NOW)
    assert registry.get(ID).state is AccountState.VERIFYING
    assert set(statuses(registry)) == {
        "role-opens",
        "right-account",
        "wrong-external-id-refused",
        "missing-external-id-refused",
        "trusts-no-one-else",
        "sessions-say-whose-they-are",
    }
    assert set(statuses(registry).values()) == {"passed"}
    right, wrong, none = customer_sessions.tried
    assert (right, none) == ("external-id-of-the-account", None)
    assert wrong not in (right, None)


@pytest.mark.parametrize(
    ("customer_sessions", "failed", "says"),
    [
        (FakeCustomerSessions(exists=False), "role-opens", "cannot be assumed with the right"),
        (
            FakeCustomerSessions(leads_into="999999999999"),
            "right-account",
            "into the account 999999999999",
        ),
        (
            FakeCustomerSessions(opens_to_any_id=True),
            "wrong-external-id-refused",
            "a wrong external id",
        ),
        (
            FakeCustomerSessions(opens_without_id=True),
            "missing-external-id-refused",
            "no external id",
        ),
        (
            FakeCustomerSessions(
                policy=a_trust_policy(Principal={"AWS": ["000000000000", "999999999999"]})
            ),
            "trusts-no-one-else",
            "also trusts 999999999999",
        ),
        (FakeCustomerSessions(policy=None), "trusts-no-one-else", "cannot read its own definition"),
    ],
)
def test_a_bad_role_is_refused_with_its_remedy(
    customer_sessions: FakeCustomerSessions, failed: str, says: str
) -> None:
    registry = connected()
    with pytest.raises(ConnectionRefused, match=says) as caught:
        verify(ID, registry, FakeBus(), customer_sessions, NOW)
    assert caught.value.remedy
    assert caught.value.details == {"check": failed}
    assert statuses(registry)[failed] == "denied"


def test_a_role_of_an_earlier_template_takes_no_marks_which_is_a_warning() -> None:
    registry = connected()
    verify(ID, registry, FakeBus(), FakeCustomerSessions(session_tags=False), NOW)
    checks = {check.name: check for check in registry.checks(ID)}
    assert checks["sessions-say-whose-they-are"].status is CheckStatus.WARNING
    assert "Update the stack" in checks["sessions-say-whose-they-are"].remedy


def test_a_role_that_does_not_open_proves_nothing_else() -> None:
    registry, customer_sessions = connected(), FakeCustomerSessions(exists=False)
    with pytest.raises(ConnectionRefused):
        verify(ID, registry, FakeBus(), customer_sessions, NOW)
    assert statuses(registry) == {"role-opens": "denied"}
    assert len(customer_sessions.tried) == 1


@pytest.mark.parametrize(
    ("kind", "actions"),
    [(AccountType.ORGANIZATION, ACTIONS), (AccountType.LINKED, LINKED_ACTIONS)],
)
def test_every_permission_is_tried_and_recorded(kind: AccountType, actions: list[str]) -> None:
    registry, customer = verifying(type=kind), FakeCustomer()
    before = statuses(registry)
    try_permissions(registry, customer)
    assert [action for action, _, _ in customer.probed] == actions
    assert statuses(registry) == before | dict.fromkeys(actions, "passed")
    assert registry.get(ID).state is AccountState.BACKFILLING


@pytest.mark.parametrize("kind", ExportKind)
def test_every_kind_of_export_needs_the_same_permissions(kind: ExportKind) -> None:
    registry, customer = verifying(export=Export(kind, "a-bucket", "a", "b")), FakeCustomer()
    try_permissions(registry, customer)
    assert [action for action, _, _ in customer.probed] == ACTIONS


def test_decrypting_is_tried_where_there_is_a_key_of_the_customers() -> None:
    registry, customer = verifying(kms_key_arn=KEY), FakeCustomer()
    try_permissions(registry, customer)
    assert [action for action, _, _ in customer.probed] == EVERY_ACTION


@pytest.mark.parametrize("action", ["bcm-data-exports:ListExports", "bcm-data-exports:GetExport"])
def test_a_denied_look_at_the_export_has_its_remedy(action: str) -> None:
    registry = connected(export=Export(ExportKind.FOCUS_1_2, "a-bucket", "a", "b"))
    with pytest.raises(PermissionDenied, match=f"{action} is refused") as caught:
        try_permissions(registry, denied(action))
    assert "Update the stack 'cloudspend'" in caught.value.remedy


@pytest.mark.parametrize("action", [action for action in ACTIONS if action not in OPTIONAL])
def test_one_denied_permission_is_named_with_its_remedy(action: str) -> None:
    registry = connected()
    with pytest.raises(PermissionDenied, match=f"{action} is refused") as caught:
        try_permissions(registry, denied(action))
    assert caught.value.remedy
    others = dict.fromkeys(ACTIONS, "passed")
    assert statuses(registry) == others | {action: "denied"}


@pytest.mark.parametrize("action", sorted(OPTIONAL))
def test_a_denied_optional_permission_is_recorded_and_keeps_no_account_back(action: str) -> None:
    registry, bus = verifying(), FakeBus()
    try_permissions(registry, denied(action))
    activate(ID, registry, bus, NOW)
    assert registry.get(ID).state is AccountState.ACTIVE
    (check,) = [check for check in registry.checks(ID) if check.name == action]
    assert check.status is CheckStatus.DENIED
    assert check.remedy.startswith("Without it")


def test_several_denied_permissions_are_all_named() -> None:
    with pytest.raises(PermissionDenied) as caught:
        try_permissions(connected(), denied("s3:ListBucket", "ce:GetCostAndUsage"))
    assert caught.value.details == {"check": "s3:ListBucket, ce:GetCostAndUsage"}


def test_what_cannot_be_tried_yet_does_not_stop_the_account() -> None:
    registry = verifying()
    finding = ProbeResult(CheckStatus.NOT_AVAILABLE, "There is no delivery yet.")
    try_permissions(registry, FakeCustomer({"s3:GetObject": finding}))
    assert statuses(registry)["s3:GetObject"] == "not_available"


SHOP = "222222222222"
LISTED = [OrganizationAccount(one, "x", "ACTIVE", NOW - timedelta(days=400)) for one in (ID, SHOP)]


def test_the_members_of_an_organization_are_known_once_it_is_proved() -> None:
    registry = verifying()
    try_permissions(registry, FakeCustomer(listed=LISTED))
    assert [member.account_id for member in registry.members(ID)] == [ID, SHOP]
    assert registry.get(ID).state is AccountState.BACKFILLING


def with_a_member_of_its_own(**changes: Any) -> FakeAccounts:
    registry = verifying(**changes)
    registry.add(an_account(SHOP, state=AccountState.ACTIVE, activated_at=NOW))
    return registry


def test_an_organization_whose_member_is_onboarded_does_not_get_in() -> None:
    registry = with_a_member_of_its_own()
    with pytest.raises(ConnectionRefused) as caught:
        try_permissions(registry, FakeCustomer(listed=LISTED))
    assert caught.value.details["check"] == "counted-once"
    assert "--move-coverage" in caught.value.remedy
    assert registry.get(ID).state is AccountState.VERIFYING
    assert registry.get(SHOP).state is AccountState.ACTIVE


def test_an_organization_that_was_told_to_takes_its_member_over() -> None:
    registry = with_a_member_of_its_own(move_coverage=True)
    try_permissions(registry, FakeCustomer(listed=LISTED))
    assert registry.get(ID).state is AccountState.BACKFILLING
    assert registry.get(SHOP).covered_by == ID
    try_permissions(registry, FakeCustomer(listed=LISTED))
    assert registry.get(SHOP).covered_by == ID


def test_a_member_of_an_onboarded_organization_does_not_get_in() -> None:
    registry = verifying(type=AccountType.LINKED)
    registry.add(an_account(SHOP, state=AccountState.ACTIVE, activated_at=NOW))
    registry.put_members(SHOP, [Member(ID, "x", "ACTIVE", NOW, NOW)])
    with pytest.raises(ConnectionRefused, match="counted twice"):
        try_permissions(registry, FakeCustomer())


def test_a_proved_account_is_activated_and_a_repeat_says_the_same() -> None:
    registry, bus = connected(), FakeBus()
    verify(ID, registry, FakeBus(), FakeCustomerSessions(), NOW)
    try_permissions(registry, FakeCustomer())
    activate(ID, registry, bus, NOW)
    activate(ID, registry, bus, NOW)
    assert registry.get(ID).state is AccountState.ACTIVE
    stated, first, again, second = bus.events
    assert (stated, first) == (again, second)
    assert registry.get(ID).activated_at == NOW
    assert len(first.details["checks"]) == len(ACTIONS) + 6


def test_a_step_that_was_stopped_half_way_is_done_again() -> None:
    registry = connected()
    for minutes in range(2):
        verify(ID, registry, FakeBus(), FakeCustomerSessions(), NOW + timedelta(minutes=minutes))
    assert {check.checked_at for check in registry.checks(ID)} == {NOW + timedelta(minutes=1)}


def test_nothing_is_activated_without_its_proofs() -> None:
    registry, bus = connected(), FakeBus()
    activate(ID, registry, bus, NOW)
    assert registry.get(ID).state is AccountState.CONNECTED
    verify(ID, registry, FakeBus(), FakeCustomerSessions(), NOW)
    with pytest.raises(PermissionDenied):
        try_permissions(registry, denied("s3:ListBucket"))
    activate(ID, registry, bus, NOW)
    assert registry.get(ID).state is AccountState.VERIFYING
    unproved = FakeAccounts(an_account(state=AccountState.BACKFILLING))
    with pytest.raises(Defect):
        activate(ID, unproved, bus, NOW)
    assert bus.events == []


def test_a_stack_that_is_deleted_during_the_backfill_is_not_overlooked() -> None:
    registry = verifying()
    try_permissions(registry, FakeCustomer())
    account = registry.get(ID)
    degraded = replace(account, state=AccountState.DEGRADED, activated_at=NOW)
    registry.save(account, degraded)
    activate(ID, registry, FakeBus(), NOW)
    assert registry.get(ID) == degraded


def test_an_account_that_was_not_connected_is_not_verified() -> None:
    registry, customer_sessions = FakeAccounts(an_account()), FakeCustomerSessions()
    with pytest.raises(UsageError):
        verify(ID, registry, FakeBus(), customer_sessions, NOW)
    assert customer_sessions.tried == []


def test_a_failure_is_recorded_and_alerted_with_its_remedy() -> None:
    registry, bus = connected(), FakeBus()
    error = PermissionDenied("It is refused.", remedy="Grant it.", check="s3:ListBucket")
    report_failure(ID, parse("PermissionDenied", cause(error)), registry, bus, NOW)
    account = registry.get(ID)
    assert (account.state, account.state_reason) == (AccountState.FAILED, "It is refused.")
    assert bus.events[0].details == {
        "check": "s3:ListBucket",
        "reason": "It is refused.",
        "remedy": "Grant it.",
    }
    assert bus.events[0].actions[0] == "Grant it."


def test_a_fault_of_ours_is_not_laid_at_the_customer_s_door() -> None:
    registry, bus = connected(), FakeBus()
    report_failure(ID, parse("Lambda.Unknown", "It died."), registry, bus, NOW)
    assert bus.events[0].details["check"] == "Lambda.Unknown"
    assert "platform team" in bus.events[0].details["remedy"]


def test_a_repeated_report_is_the_same_event_and_another_reason_another() -> None:
    registry, bus = connected(), FakeBus()
    for reason in ("It died.", "It died.", "It died again."):
        report_failure(ID, parse("Defect", reason), registry, bus, NOW)
    stated = [event for event in bus.events if event.detail_type == "OnboardingFailed"]
    first, repeat, other = [event.event_id for event in stated]
    assert first == repeat != other


@pytest.mark.parametrize("state", ["invited", "suspended", "offboarding", "removed"])
def test_a_late_report_leaves_an_account_with_which_something_else_happened(state: str) -> None:
    registry, bus = FakeAccounts(an_account(state=AccountState(state))), FakeBus()
    report_failure(ID, parse("Defect", "It died."), registry, bus, NOW)
    assert (registry.get(ID).state, bus.events) == (AccountState(state), [])


def test_an_account_that_was_active_once_is_degraded_and_recovers_by_verifying() -> None:
    registry, bus = verifying(), FakeBus()
    try_permissions(registry, FakeCustomer())
    activate(ID, registry, bus, NOW)
    verify(ID, registry, bus, FakeCustomerSessions(), NOW)
    error = PermissionDenied("It is refused.", remedy="Grant it.", check="s3:ListBucket")
    report_failure(ID, parse("PermissionDenied", cause(error)), registry, bus, NOW)
    assert registry.get(ID).state is AccountState.DEGRADED
    degraded = next(each for each in bus.events if each.detail_type == "AccountDegraded")
    assert degraded.actions[0] == "Grant it."
    verify(ID, registry, bus, FakeCustomerSessions(), NOW)
    try_permissions(registry, FakeCustomer())
    activate(ID, registry, bus, NOW + timedelta(days=1))
    assert registry.get(ID).state is AccountState.ACTIVE
    assert registry.get(ID).activated_at == NOW


def test_activation_and_failure_do_not_overwrite_each_other() -> None:
    class Raced(FakeAccounts):
        def checks(self, account_id: str) -> list[Check]:
            found = list(super().checks(account_id))
            current: Account = self.get(account_id)
            self.save(current, an_account(state=AccountState.CONNECTED, request_id="second"))
            return found

    registry = Raced(an_account(state=AccountState.CONNECTED, request_id="first"))
    verify(ID, registry, FakeBus(), FakeCustomerSessions(), NOW)
    backfilling = replace(registry.get(ID), state=AccountState.BACKFILLING)
    registry.save(registry.get(ID), backfilling)
    with pytest.raises(AccountChanged):
        activate(ID, registry, FakeBus(), NOW)
    assert registry.get(ID).request_id == "second"
