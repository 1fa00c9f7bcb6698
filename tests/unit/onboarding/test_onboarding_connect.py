"""A role entered by hand: what is taken, what is refused, and that nothing of it is believed."""

from typing import Any

import pytest

from cloudspend.accounts.model import Account, AccountState
from cloudspend.errors import UsageError
from cloudspend.onboarding.connect import ConnectRequest, connect
from cloudspend.settings import TEMPLATE_VERSION, Settings
from tests.fakes.accounts import ACT, FakeAccounts, FakeOnboarding, an_account
from tests.fakes.alerts import FakeBus

ID = "111111111111"
ROLE = f"arn:aws:iam::{ID}:role/cloudspend-access"
KEY = f"arn:aws:kms:us-east-1:{ID}:key/0a1b2c3d"
SETTINGS = Settings("000000000000", "us-east-1")
INVITED = an_account(role_arn=None, token_sha256="0" * 64)


class Desk:
    """An operator's command, and what came of it."""

    def __init__(self, account: Account = INVITED) -> None:
        self.registry = FakeAccounts(account)
        self.bus = FakeBus()
        self.onboarding = FakeOnboarding()

    def connect(self, role: str = ROLE, **more: Any) -> Account:
        request = ConnectRequest(ID, role, **more)
        return connect(request, self.registry, self.bus, self.onboarding, SETTINGS, ACT)


def test_a_role_is_taken_and_its_proof_begun() -> None:
    desk = Desk()
    account = desk.connect(kms_key=KEY)
    assert desk.registry.get(ID) == account
    assert (account.state, account.role_arn) == (AccountState.CONNECTED, ROLE)
    assert (account.kms_key_arn, account.template_version) == (KEY, TEMPLATE_VERSION)
    assert desk.bus.kinds[-1] == "AccountConnected"
    [(name, started)] = desk.onboarding.started.items()
    assert started == ID
    assert name.startswith(f"{ID}_")


def test_the_link_is_void_then() -> None:
    assert Desk().connect().token_sha256 is None


def test_a_role_may_stand_under_a_path() -> None:
    role = f"arn:aws:iam::{ID}:role/vendors/finops/cloudspend-access"
    assert Desk().connect(role).role_arn == role


@pytest.mark.parametrize(
    "role",
    [
        "",
        "cloudspend-access",
        "arn:aws:iam::222222222222:role/cloudspend-access",
        f"arn:aws:iam::{ID}:role/admin",
        f"arn:aws:iam::{ID}:role/not-cloudspend-access",
        f"arn:aws:iam::{ID}:role//cloudspend-access",
        f"arn:aws-cn:iam::{ID}:role/cloudspend-access",
        f"arn:aws:iam::{ID}:user/cloudspend-access",
        f"arn:aws:iam::{ID}:role/{'a' * 700}/cloudspend-access",
    ],
)
def test_another_role_is_refused_and_nothing_is_done(role: str) -> None:
    desk = Desk()
    with pytest.raises(UsageError, match="RoleArn"):
        desk.connect(role)
    assert desk.registry.get(ID) == INVITED
    assert (desk.bus.events, desk.onboarding.started) == ([], {})


@pytest.mark.parametrize(
    ("more", "named"),
    [({"kms_key": "alias/bill"}, "KMS key"), ({"template_version": "new"}, "template version")],
)
def test_what_else_is_wrong_is_named(more: dict[str, str], named: str) -> None:
    desk = Desk()
    with pytest.raises(UsageError, match=named):
        desk.connect(**more)
    assert desk.registry.get(ID) == INVITED


def test_the_same_role_entered_again_is_verified_again() -> None:
    desk = Desk()
    desk.connect()
    desk.connect()
    assert len(desk.onboarding.started) == 2
