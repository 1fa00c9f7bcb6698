"""Connection by an access key, rotation of the key, and the move to a role."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cloudspend.access.checks import PERMISSIONS
from cloudspend.access.connect_key import AccessKeyPorts, connect_key, rotate_key
from cloudspend.access.keys import AccessKey
from cloudspend.access.ports import CURRENT, PREVIOUS, ExcessPermissions
from cloudspend.access.session_policy import MAX_POLICY, session_policy
from cloudspend.access.user_policy import user_policy
from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    ChangeCause,
    CheckStatus,
    ConnectionKind,
    Export,
    ExportKind,
    Member,
)
from cloudspend.accounts.ports import AccountChanged
from cloudspend.errors import (
    CloudSpendError,
    ConnectionRefused,
    PermissionDenied,
    UsageError,
    parse,
)
from cloudspend.onboarding.move_to_role import move_to_role
from cloudspend.onboarding.onboard import activate, check_permissions, report_failure, verify
from cloudspend.settings import Settings
from tests.fakes.access import (
    FakeCustomer,
    FakeCustomerSessions,
    FakeKeyInspector,
    FakeKeyStore,
    denied,
)
from tests.fakes.accounts import NOW, FakeAccounts, FakeOnboarding, an_account
from tests.fakes.alerts import FakeBus
from tests.unit.access.test_access_keys import KEY, SECRET

ID = "111111111111"
SECOND = AccessKey("AKIA" + "Z" * 16, "y" * 40)
SETTINGS = Settings("000000000000", "us-east-1")
INVITED = an_account(role_arn=None, token_sha256="f" * 64)


class KeyPlatform:
    """A platform in memory that accepts access keys."""

    def __init__(self, account: Account = INVITED, **key: Any) -> None:
        self.registry, self.key_store, self.bus = FakeAccounts(account), FakeKeyStore(), FakeBus()
        self.inspector, self.onboarding = FakeKeyInspector(**key), FakeOnboarding()
        self.ports = AccessKeyPorts(self.registry, self.key_store, self.inspector, self.bus)

    @property
    def account(self) -> Account:
        return self.registry.get(ID)

    def statuses(self) -> dict[str, str]:
        return {check.name: check.status.value for check in self.registry.checks(ID)}

    def connect(self, key: AccessKey = KEY) -> None:
        connect_key(ID, key, self.ports, self.onboarding, ChangeCause("operator", NOW))

    def onboard(
        self,
        customer_sessions: FakeCustomerSessions | None = None,
        customer: FakeCustomer | None = None,
    ) -> None:
        """Run the steps of the state machine Onboard."""
        entered = customer or FakeCustomer()
        try:
            verify(ID, self.registry, self.bus, customer_sessions or FakeCustomerSessions(), NOW)
            check_permissions(ID, self.registry, self.bus, lambda _: entered, self.key_store, NOW)
            activate(ID, self.registry, self.bus, NOW)
        except CloudSpendError as error:
            failure = parse(type(error).__name__, str(error))
            report_failure(ID, failure, self.registry, self.bus, NOW)

    def active(self) -> "KeyPlatform":
        self.connect()
        self.onboard()
        assert self.account.state is AccountState.ACTIVE
        return self

    def register_role(self) -> None:
        """Register a role as the customer's stack does it."""
        before = self.account
        after = replace(
            before,
            state=AccountState.CONNECTED,
            role_arn=f"arn:aws:iam::{ID}:role/cloudspend-access",
            token_sha256=None,
            stack_id="stack",
            request_id="request",
        )
        self.registry.save(before, after)


def test_an_accepted_key_is_stored_and_the_account_is_onboarded() -> None:
    platform = KeyPlatform(created=NOW - timedelta(days=3)).active()
    account = platform.account
    assert account.connection is ConnectionKind.ACCESS_KEY
    assert account.key
    assert (account.key.user_arn, account.key.ending) == (
        f"arn:aws:iam::{ID}:user/cloudspend",
        KEY.ending,
    )
    assert (account.key.made_at, account.key.age_known) == (NOW - timedelta(days=3), True)
    assert platform.key_store.read(ID, CURRENT) == KEY
    events = [kind for kind in platform.bus.kinds if kind != "AccountStateChanged"]
    assert events == ["AccessKeyConnected", "AccountActivated"]
    assert platform.statuses()["key-opens"] == platform.statuses()["right-account"] == "passed"
    assert "iam:GetRole" not in platform.statuses()


def test_the_link_of_an_account_with_a_key_is_void() -> None:
    platform = KeyPlatform()
    platform.connect()
    assert platform.account.token_sha256 is None


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ({"account_id": "222222222222"}, ConnectionRefused, "belongs to the account 222222222222"),
        ({"owner": "root"}, ConnectionRefused, "root user"),
        ({"known": False}, ConnectionRefused, "does not accept the key"),
        ({"inside": denied("s3:GetObject")}, PermissionDenied, "s3:GetObject is refused"),
    ],
)
def test_a_refused_key_is_not_stored(
    key: dict[str, Any], error: type[CloudSpendError], message: str
) -> None:
    platform = KeyPlatform(**key)
    with pytest.raises(error, match=message):
        platform.connect()
    assert (platform.account, platform.key_store.kept) == (INVITED, {})
    assert (platform.bus.events, platform.onboarding.started) == ([], {})


def test_the_remedy_of_a_denied_permission_names_the_user_s_policy() -> None:
    with pytest.raises(PermissionDenied) as caught:
        KeyPlatform(inside=denied("ce:GetCostAndUsage")).connect()
    assert "key-policy" in caught.value.remedy
    assert "stack" not in caught.value.remedy


def test_excess_permissions_of_a_key_are_listed_in_a_warning() -> None:
    platform = KeyPlatform(
        beyond=ExcessPermissions(("iam:CreateUser", "s3:DeleteObject"), complete=True)
    ).active()
    checks = {check.name: check for check in platform.registry.checks(ID)}
    warning = checks["key-may-do-no-more"]
    assert warning.status is CheckStatus.WARNING
    assert "iam:CreateUser, s3:DeleteObject" in warning.reason
    assert warning.remedy


def test_permissions_that_cannot_be_simulated_are_reported_as_unknown() -> None:
    platform = KeyPlatform(beyond=ExcessPermissions((), complete=False)).active()
    assert platform.statuses()["key-may-do-no-more"] == "not_available"


def test_a_rotated_key_replaces_the_old_one_and_nothing_else_changes() -> None:
    platform = KeyPlatform().active()
    before = platform.account
    rotate_key(ID, SECOND, platform.ports, NOW + timedelta(days=1))
    assert platform.key_store.read(ID, CURRENT) == SECOND
    assert platform.key_store.read(ID, PREVIOUS) == KEY
    assert platform.account.key
    assert platform.account.key.ending == SECOND.ending
    assert replace(platform.account, key=before.key) == before
    assert platform.bus.kinds[-1] == "AccessKeyRotated"


@pytest.mark.parametrize(
    "key",
    [{"known": False}, {"account_id": "222222222222"}, {"inside": denied("ce:GetCostAndUsage")}],
)
def test_the_old_key_stays_until_the_new_one_is_accepted(key: dict[str, Any]) -> None:
    platform = KeyPlatform().active()
    before = platform.account
    ports = replace(platform.ports, inspector=FakeKeyInspector(**key))
    with pytest.raises(CloudSpendError):
        rotate_key(ID, SECOND, ports, NOW)
    assert (
        platform.key_store.read(ID, CURRENT),
        platform.key_store.read(ID, PREVIOUS),
    ) == (KEY, None)
    assert platform.account == before


def test_a_rotation_keeps_changes_that_were_made_at_the_same_time() -> None:
    class Raced(FakeAccounts):
        raced = False

        def save(self, before: Account, after: Account) -> None:
            if not self.raced:
                self.raced = True
                super().save(before, replace(before, tag_columns=("Team",)))
                raise AccountChanged("The account was changed.")
            super().save(before, after)

    platform = KeyPlatform().active()
    platform.registry = Raced(platform.account)
    rotate_key(ID, SECOND, replace(platform.ports, registry=platform.registry), NOW)
    assert platform.account.tag_columns == ("Team",)
    assert platform.account.key
    assert platform.account.key.ending == SECOND.ending


def test_an_account_with_a_role_has_no_key_to_rotate() -> None:
    with pytest.raises(UsageError, match="not connected by an access key"):
        rotate_key(ID, KEY, KeyPlatform(an_account(state=AccountState.ACTIVE)).ports, NOW)


def test_the_move_to_a_role_keeps_the_key_until_the_role_is_verified() -> None:
    platform = KeyPlatform().active()
    link = move_to_role(ID, platform.registry, SETTINGS, NOW).link
    assert "RegistrationToken" in link
    assert platform.account.state is AccountState.ACTIVE
    platform.register_role()
    assert platform.account.connection is ConnectionKind.ACCESS_KEY
    assert platform.account.pending_connection is ConnectionKind.IAM_ROLE
    platform.onboard()
    assert platform.account.state is AccountState.ACTIVE
    assert (platform.account.connection, platform.account.key) == (
        ConnectionKind.IAM_ROLE,
        None,
    )
    assert platform.key_store.kept == {}
    event = next(event for event in platform.bus.events if event.detail_type == "MovedToRole")
    assert event.details["ending"] == KEY.ending


@pytest.mark.parametrize(
    ("customer_sessions", "customer"),
    [
        (FakeCustomerSessions(exists=False), None),
        (FakeCustomerSessions(opens_without_id=True), None),
        (None, denied("s3:ListBucket")),
    ],
)
def test_a_role_that_fails_a_check_leaves_the_account_active_with_its_key(
    customer_sessions: FakeCustomerSessions | None, customer: FakeCustomer | None
) -> None:
    platform = KeyPlatform().active()
    move_to_role(ID, platform.registry, SETTINGS, NOW)
    platform.register_role()
    platform.onboard(customer_sessions, customer)
    assert platform.account.state is AccountState.ACTIVE
    assert (
        platform.account.connection
        is platform.account.pending_connection
        is ConnectionKind.ACCESS_KEY
    )
    assert platform.key_store.read(ID, CURRENT) == KEY
    assert "MoveToRoleFailed" in platform.bus.kinds
    # The key is verified again as if there had never been a role.
    platform.onboard()
    assert platform.account.state is AccountState.ACTIVE
    assert platform.bus.kinds[-1] == "AccountActivated"


def test_the_last_step_of_a_move_can_be_repeated() -> None:
    platform = KeyPlatform().active()
    platform.register_role()
    verify(ID, platform.registry, platform.bus, FakeCustomerSessions(), NOW)
    customer = FakeCustomer()
    for _ in range(2):
        check_permissions(
            ID,
            platform.registry,
            platform.bus,
            lambda _: customer,
            platform.key_store,
            NOW,
        )
    assert platform.key_store.kept == {}
    assert platform.bus.kinds.count("MovedToRole") == 1


def test_only_an_account_with_a_key_is_moved() -> None:
    with pytest.raises(UsageError, match="not connected by an access key"):
        move_to_role(ID, FakeAccounts(an_account()), SETTINGS, NOW)


@pytest.mark.parametrize("kind", ExportKind)
@pytest.mark.parametrize("account_type", AccountType)
def test_a_session_policy_is_limited_to_the_needed_actions_and_fits_into_sts(
    kind: ExportKind, account_type: AccountType
) -> None:
    export = Export(kind, "b" * 63, "p" * 128, "n")
    platform = KeyPlatform(an_account(role_arn=None, type=account_type, export=export))
    platform.connect()
    policy = session_policy(platform.account, "aws")
    assert len(policy) <= MAX_POLICY
    assert '"Action":"*"' not in policy.replace("[", "").replace("]", "")
    for permission in PERMISSIONS:
        action = permission.action
        if permission.needed_for(platform.account) and not action.startswith("s3:"):
            assert action in policy or f"{_verb(action)}*" in policy


@pytest.mark.parametrize("kind", ExportKind)
def test_the_user_s_policy_has_every_checked_action_and_no_wildcard(
    kind: ExportKind,
) -> None:
    platform = KeyPlatform(an_account(role_arn=None, export=Export(kind, "b", "p", "n")))
    platform.connect()
    policy = user_policy(platform.account, "aws")
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    checked = {check.action for check in PERMISSIONS if check.needed_for(platform.account)}
    assert actions == checked | {"sts:GetFederationToken", "iam:ListAccessKeys"}
    assert not any("*" in action for action in actions)


def test_neither_events_nor_the_registry_contain_the_key() -> None:
    platform = KeyPlatform().active()
    rotate_key(ID, SECOND, platform.ports, NOW)
    published = repr([event.detail for event in platform.bus.events])
    stored = repr(
        [
            platform.account,
            platform.registry.checks(ID),
            platform.onboarding.started,
        ]
    )
    for secret in (SECRET, KEY.id, SECOND.secret, SECOND.id):
        assert secret not in published + stored


def _verb(action: str) -> str:
    service, _, name = action.partition(":")
    end = next((i for i, letter in enumerate(name) if i and letter.isupper()), len(name))
    return f"{service}:{name[:end]}"


def test_a_key_of_a_covered_member_is_not_accepted() -> None:
    platform = KeyPlatform()
    payer = an_account("222222222222", state=AccountState.ACTIVE, activated_at=NOW)
    platform.registry.add(payer)
    platform.registry.put_members("222222222222", [Member(ID, "x", "ACTIVE", NOW, NOW)])
    with pytest.raises(UsageError, match="counted twice"):
        platform.connect()
    assert platform.key_store.kept == {}
