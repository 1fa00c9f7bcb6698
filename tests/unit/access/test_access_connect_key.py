"""An account connected by a key, a new key in the old one's place, and the way to a role."""

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
from tests.fakes.access import FakeCustomer, FakeDoor, FakeGate, FakeVault, denied
from tests.fakes.accounts import NOW, FakeAccounts, FakeOnboarding, an_account
from tests.fakes.alerts import FakeBus
from tests.unit.access.test_access_keys import KEY, SECRET

ID = "111111111111"
SECOND = AccessKey("AKIA" + "Z" * 16, "y" * 40)
SETTINGS = Settings("000000000000", "us-east-1")
INVITED = an_account(role_arn=None, token_sha256="f" * 64)


class Office:
    """A platform that takes keys in."""

    def __init__(self, account: Account = INVITED, **gate: Any) -> None:
        self.registry, self.key_store, self.bus = FakeAccounts(account), FakeVault(), FakeBus()
        self.gate, self.onboarding = FakeGate(**gate), FakeOnboarding()
        self.desk = AccessKeyPorts(self.registry, self.key_store, self.gate, self.bus)

    @property
    def account(self) -> Account:
        return self.registry.get(ID)

    def statuses(self) -> dict[str, str]:
        return {check.name: check.status.value for check in self.registry.checks(ID)}

    def connect(self, key: AccessKey = KEY) -> None:
        connect_key(ID, key, self.desk, self.onboarding, ChangeCause("operator", NOW))

    def onboard(
        self, customer_sessions: FakeDoor | None = None, customer: FakeCustomer | None = None
    ) -> None:
        """What the state machine does."""
        entered = customer or FakeCustomer()
        try:
            verify(ID, self.registry, self.bus, customer_sessions or FakeDoor(), NOW)
            check_permissions(ID, self.registry, self.bus, lambda _: entered, self.key_store, NOW)
            activate(ID, self.registry, self.bus, NOW)
        except CloudSpendError as error:
            failure = parse(type(error).__name__, str(error))
            report_failure(ID, failure, self.registry, self.bus, NOW)

    def active(self) -> "Office":
        self.connect()
        self.onboard()
        assert self.account.state is AccountState.ACTIVE
        return self

    def stack_comes(self) -> None:
        """The customer's stack registers a role, as `accounts.registration` writes it down."""
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


def test_a_good_key_is_kept_and_the_account_onboarded() -> None:
    invitation_ports = Office(made=NOW - timedelta(days=3)).active()
    account = invitation_ports.account
    assert account.connection is ConnectionKind.ACCESS_KEY
    assert account.key
    assert (account.key.user_arn, account.key.ending) == (
        f"arn:aws:iam::{ID}:user/cloudspend",
        KEY.ending,
    )
    assert (account.key.made_at, account.key.age_known) == (NOW - timedelta(days=3), True)
    assert invitation_ports.key_store.read(ID, CURRENT) == KEY
    kinds = [kind for kind in invitation_ports.bus.kinds if kind != "AccountStateChanged"]
    assert kinds == ["AccessKeyConnected", "AccountActivated"]
    assert (
        invitation_ports.statuses()["key-opens"]
        == invitation_ports.statuses()["right-account"]
        == "passed"
    )
    assert "iam:GetRole" not in invitation_ports.statuses()


def test_the_link_of_a_key_s_account_is_void() -> None:
    invitation_ports = Office()
    invitation_ports.connect()
    assert invitation_ports.account.token_sha256 is None


@pytest.mark.parametrize(
    ("gate", "error", "says"),
    [
        ({"account_id": "222222222222"}, ConnectionRefused, "belongs to the account 222222222222"),
        ({"who": "root"}, ConnectionRefused, "root user"),
        ({"known": False}, ConnectionRefused, "does not take the key"),
        ({"inside": denied("s3:GetObject")}, PermissionDenied, "s3:GetObject is refused"),
    ],
)
def test_a_bad_key_is_not_kept(
    gate: dict[str, Any], error: type[CloudSpendError], says: str
) -> None:
    invitation_ports = Office(**gate)
    with pytest.raises(error, match=says):
        invitation_ports.connect()
    assert (invitation_ports.account, invitation_ports.key_store.kept) == (INVITED, {})
    assert (invitation_ports.bus.events, invitation_ports.onboarding.started) == ([], {})


def test_a_denied_permission_s_remedy_speaks_of_the_user_not_of_a_stack() -> None:
    with pytest.raises(PermissionDenied) as caught:
        Office(inside=denied("ce:GetCostAndUsage")).connect()
    assert "key-policy" in caught.value.remedy
    assert "stack" not in caught.value.remedy


def test_a_key_that_may_too_much_is_a_warning_with_the_list() -> None:
    invitation_ports = Office(
        beyond=ExcessPermissions(("iam:CreateUser", "s3:DeleteObject"), complete=True)
    ).active()
    checks = {check.name: check for check in invitation_ports.registry.checks(ID)}
    warned = checks["key-may-do-no-more"]
    assert warned.status is CheckStatus.WARNING
    assert "iam:CreateUser, s3:DeleteObject" in warned.reason
    assert warned.remedy


def test_what_could_not_be_simulated_is_said_to_be_unknown() -> None:
    invitation_ports = Office(beyond=ExcessPermissions((), complete=False)).active()
    assert invitation_ports.statuses()["key-may-do-no-more"] == "not_available"


def test_a_rotated_key_takes_the_old_one_s_place_and_nothing_else_changes() -> None:
    invitation_ports = Office().active()
    before = invitation_ports.account
    rotate_key(ID, SECOND, invitation_ports.desk, NOW + timedelta(days=1))
    assert invitation_ports.key_store.read(ID, CURRENT) == SECOND
    assert invitation_ports.key_store.read(ID, PREVIOUS) == KEY
    assert invitation_ports.account.key
    assert invitation_ports.account.key.ending == SECOND.ending
    assert replace(invitation_ports.account, key=before.key) == before
    assert invitation_ports.bus.kinds[-1] == "AccessKeyRotated"


@pytest.mark.parametrize(
    "gate",
    [{"known": False}, {"account_id": "222222222222"}, {"inside": denied("ce:GetCostAndUsage")}],
)
def test_the_old_key_stays_until_the_new_one_is_proved(gate: dict[str, Any]) -> None:
    invitation_ports = Office().active()
    before = invitation_ports.account
    desk = replace(invitation_ports.desk, gate=FakeGate(**gate))
    with pytest.raises(CloudSpendError):
        rotate_key(ID, SECOND, desk, NOW)
    assert (
        invitation_ports.key_store.read(ID, CURRENT),
        invitation_ports.key_store.read(ID, PREVIOUS),
    ) == (KEY, None)
    assert invitation_ports.account == before


def test_a_key_is_rotated_over_whatever_the_account_became_meanwhile() -> None:
    class Raced(FakeAccounts):
        raced = False

        def save(self, before: Account, after: Account) -> None:
            if not self.raced:
                self.raced = True
                super().save(before, replace(before, tag_columns=("Team",)))
                raise AccountChanged("It was changed.")
            super().save(before, after)

    invitation_ports = Office().active()
    invitation_ports.registry = Raced(invitation_ports.account)
    rotate_key(ID, SECOND, replace(invitation_ports.desk, registry=invitation_ports.registry), NOW)
    assert invitation_ports.account.tag_columns == ("Team",)
    assert invitation_ports.account.key
    assert invitation_ports.account.key.ending == SECOND.ending


def test_an_account_with_a_role_has_no_key_to_rotate() -> None:
    with pytest.raises(UsageError, match="not connected by an access key"):
        rotate_key(ID, KEY, Office(an_account(state=AccountState.ACTIVE)).desk, NOW)


def test_the_move_to_a_role_keeps_the_key_until_the_role_is_proved() -> None:
    invitation_ports = Office().active()
    link = move_to_role(ID, invitation_ports.registry, SETTINGS, NOW).link
    assert "RegistrationToken" in link
    assert invitation_ports.account.state is AccountState.ACTIVE
    invitation_ports.stack_comes()
    assert invitation_ports.account.connection is ConnectionKind.ACCESS_KEY
    assert invitation_ports.account.pending_connection is ConnectionKind.IAM_ROLE
    invitation_ports.onboard()
    assert invitation_ports.account.state is AccountState.ACTIVE
    assert (invitation_ports.account.connection, invitation_ports.account.key) == (
        ConnectionKind.IAM_ROLE,
        None,
    )
    assert invitation_ports.key_store.kept == {}
    moved = next(
        event for event in invitation_ports.bus.events if event.detail_type == "MovedToRole"
    )
    assert moved.details["ending"] == KEY.ending


@pytest.mark.parametrize(
    ("customer_sessions", "customer"),
    [
        (FakeDoor(exists=False), None),
        (FakeDoor(opens_without_id=True), None),
        (None, denied("s3:ListBucket")),
    ],
)
def test_a_role_that_does_not_prove_itself_leaves_the_account_active_by_its_key(
    customer_sessions: FakeDoor | None, customer: FakeCustomer | None
) -> None:
    invitation_ports = Office().active()
    move_to_role(ID, invitation_ports.registry, SETTINGS, NOW)
    invitation_ports.stack_comes()
    invitation_ports.onboard(customer_sessions, customer)
    assert invitation_ports.account.state is AccountState.ACTIVE
    assert (
        invitation_ports.account.connection
        is invitation_ports.account.pending_connection
        is ConnectionKind.ACCESS_KEY
    )
    assert invitation_ports.key_store.read(ID, CURRENT) == KEY
    assert "MoveToRoleFailed" in invitation_ports.bus.kinds
    # and the key is proved again as if there had been no role
    invitation_ports.onboard()
    assert invitation_ports.account.state is AccountState.ACTIVE
    assert invitation_ports.bus.kinds[-1] == "AccountActivated"


def test_the_end_of_a_move_may_be_repeated() -> None:
    invitation_ports = Office().active()
    invitation_ports.stack_comes()
    verify(ID, invitation_ports.registry, invitation_ports.bus, FakeDoor(), NOW)
    customer = FakeCustomer()
    for _ in range(2):
        check_permissions(
            ID,
            invitation_ports.registry,
            invitation_ports.bus,
            lambda _: customer,
            invitation_ports.key_store,
            NOW,
        )
    assert invitation_ports.key_store.kept == {}
    assert invitation_ports.bus.kinds.count("MovedToRole") == 1


def test_only_an_account_with_a_key_is_moved() -> None:
    with pytest.raises(UsageError, match="not connected by an access key"):
        move_to_role(ID, FakeAccounts(an_account()), SETTINGS, NOW)


@pytest.mark.parametrize("kind", ExportKind)
@pytest.mark.parametrize("account_type", AccountType)
def test_a_session_is_limited_to_what_is_needed_in_the_characters_that_sts_takes(
    kind: ExportKind, account_type: AccountType
) -> None:
    export = Export(kind, "b" * 63, "p" * 128, "n")
    invitation_ports = Office(an_account(role_arn=None, type=account_type, export=export))
    invitation_ports.connect()
    policy = session_policy(invitation_ports.account, "aws")
    assert len(policy) <= MAX_POLICY
    assert '"Action":"*"' not in policy.replace("[", "").replace("]", "")
    for needed in PERMISSIONS:
        if needed.needed_for(invitation_ports.account) and not needed.action.startswith("s3:"):
            assert needed.action in policy or f"{_verb(needed.action)}*" in policy


@pytest.mark.parametrize("kind", ExportKind)
def test_the_user_s_policy_holds_each_action_that_is_tried_and_no_wildcard(
    kind: ExportKind,
) -> None:
    invitation_ports = Office(an_account(role_arn=None, export=Export(kind, "b", "p", "n")))
    invitation_ports.connect()
    policy = user_policy(invitation_ports.account, "aws")
    actions = {action for one in policy["Statement"] for action in one["Action"]}
    tried = {one.action for one in PERMISSIONS if one.needed_for(invitation_ports.account)}
    assert actions == tried | {"sts:GetFederationToken", "iam:ListAccessKeys"}
    assert not any("*" in action for action in actions)


def test_nothing_that_is_kept_or_said_holds_the_key() -> None:
    invitation_ports = Office().active()
    rotate_key(ID, SECOND, invitation_ports.desk, NOW)
    said = repr([event.detail for event in invitation_ports.bus.events])
    held = repr(
        [
            invitation_ports.account,
            invitation_ports.registry.checks(ID),
            invitation_ports.onboarding.started,
        ]
    )
    for secret in (SECRET, KEY.id, SECOND.secret, SECOND.id):
        assert secret not in said + held


def _verb(action: str) -> str:
    service, _, name = action.partition(":")
    end = next((i for i, letter in enumerate(name) if i and letter.isupper()), len(name))
    return f"{service}:{name[:end]}"


def test_a_key_of_an_account_that_an_organization_covers_is_not_taken() -> None:
    invitation_ports = Office()
    payer = an_account("222222222222", state=AccountState.ACTIVE, activated_at=NOW)
    invitation_ports.registry.add(payer)
    invitation_ports.registry.put_members("222222222222", [Member(ID, "x", "ACTIVE", NOW, NOW)])
    with pytest.raises(UsageError, match="counted twice"):
        invitation_ports.connect()
    assert invitation_ports.key_store.kept == {}
