"""Inviting: what is recorded, what is refused, and the link."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts import fields
from cloudspend.accounts.invite import Invitation, InviteRequest, invite, token_digest
from cloudspend.accounts.link import StackChoices, quick_create_link, update_link
from cloudspend.accounts.model import AccountState, ExportKind, ExportSetup
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.convert.focus.names import tag_column
from cloudspend.errors import UsageError
from cloudspend.settings import Settings
from tests.fakes.accounts import ACT, NOW, FakeAccounts, an_account, known_regions
from tests.fakes.alerts import FakeBus

SETTINGS = Settings("000000000000", "us-east-1")
REQUEST = InviteRequest(
    account_id="111111111111",
    display_name="Acme",
    type="organization",
    regions=["us-east-1", "eu-west-1"],
)


def invited(registry: FakeAccounts, bus: FakeBus | None = None, **changes: Any) -> Invitation:
    invitation_ports = InvitationPorts(registry, bus or FakeBus(), SETTINGS, known_regions)
    return invite(replace(REQUEST, **changes), invitation_ports, ACT)


def parameters(link: str) -> dict[str, str]:
    """What the console makes of a link."""
    query = parse_qs(urlsplit(link).fragment.partition("?")[2], strict_parsing=True)
    return {name: values[0] for name, values in query.items()}


def test_records_the_account_with_the_conventions_filled_in() -> None:
    registry, bus = FakeAccounts(), FakeBus()
    account = invited(registry, bus).account
    assert registry.get("111111111111") == account
    assert account.state is AccountState.INVITED
    assert account.export.bucket == "cloudspend-export-111111111111-us-east-1"
    assert (account.export.prefix, account.export.name) == ("cloudspend", "cloudspend-cur-2-0")
    assert account.export.kind is ExportKind.CUR_2_0
    assert account.start_date == date(2025, 11, 1)
    assert account.expires_at == NOW + timedelta(days=7)
    assert bus.kinds == ["AccountStateChanged", "AccountInvited"]


def test_the_link_carries_everything_the_stack_needs() -> None:
    account, link = (made := invited(FakeAccounts(), retention_months=13)).account, made.link
    base = "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#"
    assert link.startswith(base + "/stacks/quickcreate?")
    given = parameters(link)
    token = given.pop("param_RegistrationToken")
    assert token_digest(token) == account.token_sha256
    assert given == {
        "templateURL": SETTINGS.template_url,
        "stackName": "cloudspend",
        "param_PlatformAccountId": "000000000000",
        "param_ExternalId": account.external_id,
        "param_ExportBucketName": account.export.bucket,
        "param_ExportPrefix": "cloudspend",
        "param_ExportName": "cloudspend-cur-2-0",
        "param_ExportKind": "CUR_2_0",
        "param_RegistrationTopicArn": SETTINGS.registration_topic_arn,
        "param_DeliveriesBusArn": SETTINGS.deliveries_bus_arn,
        "param_RetentionDays": "403",
    }


@pytest.mark.parametrize("setup", ["CREATE_ALL", "CREATE_EXPORT"])
def test_no_export_can_be_made_where_aws_offers_none_to_stacks(setup: str) -> None:
    registry = FakeAccounts()
    away = InvitationPorts(
        registry, FakeBus(), replace(SETTINGS, region="eu-west-1"), known_regions
    )
    with pytest.raises(UsageError) as caught:
        invite(replace(REQUEST, export_setup=setup), away, ACT)
    assert f"{setup} is not possible from the platform's region eu-west-1" in caught.value.summary
    assert "USE_EXISTING" in caught.value.remedy
    assert registry.list() == []
    there = invite(replace(REQUEST, export_setup="USE_EXISTING"), away, ACT)
    assert there.account.state is AccountState.INVITED


def test_the_token_is_nowhere_but_in_the_link() -> None:
    registry, bus = FakeAccounts(), FakeBus()
    token = parameters(invited(registry, bus).link)["param_RegistrationToken"]
    assert token not in repr(registry.list())
    assert token not in repr(bus.events)


def test_inviting_again_voids_the_earlier_link_and_keeps_the_external_id() -> None:
    registry, bus = FakeAccounts(), FakeBus()
    first, second = invited(registry, bus), invited(registry, bus, display_name="Acme Ltd")
    assert second.account.external_id == first.account.external_id
    assert second.account.token_sha256 != first.account.token_sha256
    assert registry.get("111111111111").display_name == "Acme Ltd"
    assert len({event.event_id for event in bus.events}) == 4


def test_inviting_again_changes_what_is_said_anew() -> None:
    registry = FakeAccounts()
    invited(registry)
    again = InviteRequest(account_id="111111111111", type="LINKED", export_kind="FOCUS_1_2")
    account = invite(
        again, InvitationPorts(registry, FakeBus(), SETTINGS, known_regions), ACT
    ).account
    assert (account.type, account.export.kind) == ("LINKED", ExportKind.FOCUS_1_2)
    assert account.export.name == "cloudspend-focus-1-2"
    assert (account.display_name, account.regions) == ("Acme", ("us-east-1", "eu-west-1"))
    assert not account.billing_detail
    with pytest.raises(UsageError, match="partition"):
        invited(registry, partition="aws-cn")


def test_a_failed_account_is_invited_again() -> None:
    registry = FakeAccounts(an_account(state=AccountState.FAILED, stack_id="the-stack"))
    account = invited(registry).account
    assert (account.state, account.stack_id) == (AccountState.INVITED, "the-stack")


@pytest.mark.parametrize("state", ["connected", "verifying", "backfilling", "active", "suspended"])
def test_a_connected_account_is_not_invited_again(state: str) -> None:
    before = an_account(state=AccountState(state))
    registry = FakeAccounts(before)
    with pytest.raises(UsageError, match=f"is {state} already"):
        invited(registry)
    assert registry.get("111111111111") == before


def test_a_display_name_is_one_account_s_whatever_its_case() -> None:
    registry = FakeAccounts(an_account("222222222222", display_name="ACME"))
    with pytest.raises(UsageError, match="another account's"):
        invited(registry)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("account_id", "11111111111", "account id"),
        ("account_id", "١١١١١١١١١١١١", "account id"),
        ("display_name", " ", "display name"),
        ("display_name", "x" * 65, "display name"),
        ("display_name", "a\nb", "display name"),
        ("type", "TEAM", "type"),
        ("regions", [], "regions"),
        ("regions", ["us-east-1", "Frankfurt"], "region"),
        ("start_date", "01.10.2026", "start date"),
        ("start_date", "2026-11-24", "start date"),
        ("retention_months", 0, "retention"),
        ("retention_months", "12", "retention"),
        ("regions", ["eu-north-9"], "region"),
        ("partition", "aws-cn", "partition"),
        ("partition", "aws-eu", "partition"),
        ("contacts", ["not-an-address"], "contact"),
        ("contacts", [f"a{n}@example.com" for n in range(11)], "list of contacts"),
        ("owner", "a\nb", "owner"),
        ("cost_centre", "x" * 129, "cost centre"),
        ("notes", "x" * 2001, "notes"),
        ("export_kind", "CUR", "export kind"),
        ("export_bucket", "Bucket", "export bucket"),
        ("export_bucket", "a..b", "export bucket"),
        ("export_bucket", "bucket\n", "export bucket"),
        ("export_prefix", "/a", "export prefix"),
        ("export_prefix", "a/../b", "export prefix"),
        ("export_prefix", "a*", "export prefix"),
        ("export_name", "a/b", "export name"),
        ("export_name", "n" * 129, "export name"),
    ],
)
def test_wrong_input_is_named_and_nothing_is_done(field: str, value: Any, named: str) -> None:
    registry, bus = FakeAccounts(), FakeBus()
    with pytest.raises(UsageError) as caught:
        invited(registry, bus, **{field: value})
    assert caught.value.summary.startswith(f"The {named} ")
    assert caught.value.remedy.startswith(("Allowed: ", "Roles, topics and buses"))
    assert (list(registry.list()), bus.events) == ([], [])


LONGEST: dict[str, Any] = {
    "export_bucket": "b" * 63,
    "export_prefix": "p/" * 39 + "pp",
    "export_name": "n" * 128,
    "export_kind": "CUR_LEGACY",
    "export_setup": "CREATE_EXPORT",
    "retention_months": 84,
}


@pytest.mark.parametrize(
    "settings",
    [SETTINGS, Settings("000000000000", "cn-northwest-1", "aws-cn")],
    ids=lambda settings: settings.partition,
)
def test_the_longest_values_fit_into_the_link(settings: Settings) -> None:
    request = replace(REQUEST, regions=[settings.region], **LONGEST)
    link = invite(
        request, InvitationPorts(FakeAccounts(), FakeBus(), settings, known_regions), ACT
    ).link
    assert 950 < len(link) <= 1024
    given = parameters(link)
    assert given["param_ExportPrefix"] == LONGEST["export_prefix"]
    assert given["param_RegistrationTopicArn"] == settings.registration_topic_arn
    for field in ("export_bucket", "export_prefix", "export_name"):
        with pytest.raises(UsageError, match="is not allowed"):
            invited(FakeAccounts(), **{**LONGEST, field: LONGEST[field] + "x"})


def test_a_link_that_the_console_would_cut_is_refused() -> None:
    account = an_account(external_id="x" * 900)
    with pytest.raises(UsageError, match="1024"):
        quick_create_link(account, "token", SETTINGS, StackChoices())


def test_a_stack_that_may_tell_nobody_gets_no_address() -> None:
    given = parameters(invited(FakeAccounts(), phone_home=False).link)
    assert {name for name in given if name.startswith("param_")}.isdisjoint(
        {"param_RegistrationTopicArn", "param_RegistrationToken", "param_DeliveriesBusArn"}
    )
    assert given["param_ExternalId"]


def test_for_a_key_the_link_makes_the_export_in_a_stack_of_its_own_without_a_token() -> None:
    made = invited(FakeAccounts(), connection="access_key", retention_months=13)
    given = parameters(made.link)
    assert given["stackName"] == "cloudspend-export"
    assert given["param_Connection"] == "ACCESS_KEY"
    assert given["param_ExportBucketName"] == made.account.export.bucket
    assert given["param_RetentionDays"] == "403"
    assert given.keys().isdisjoint(
        {"param_RegistrationTopicArn", "param_RegistrationToken", "param_DeliveriesBusArn"}
    )
    assert "param_Connection" not in parameters(invited(FakeAccounts()).link)


def test_for_a_key_and_an_export_that_is_there_a_stack_has_nothing_to_make() -> None:
    registry = FakeAccounts()
    made = invited(registry, connection="ACCESS_KEY", export_setup="USE_EXISTING")
    assert made.link == ""
    assert registry.get("111111111111") == made.account


def test_another_way_in_than_the_two_is_refused() -> None:
    with pytest.raises(UsageError, match="The connection 'PASSWORD' is not allowed"):
        invited(FakeAccounts(), connection="PASSWORD")


@pytest.mark.parametrize("setup", ExportSetup)
def test_the_link_says_what_the_stack_is_to_make(setup: ExportSetup) -> None:
    given = parameters(invited(FakeAccounts(), export_setup=setup.lower()).link)
    default = setup is ExportSetup.CREATE_ALL
    assert given.get("param_ExportSetup") == (None if default else setup.value)


def test_the_update_link_names_the_stack_and_the_newest_template() -> None:
    stack = "arn:aws:cloudformation:us-east-1:111111111111:stack/cloudspend/1"
    link = update_link(an_account(stack_id=stack), SETTINGS)
    assert "#/stacks/update/template?" in link
    assert parameters(link) == {"stackId": stack, "templateURL": SETTINGS.template_url}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ExportKind.CUR_LEGACY, "cloudspend-cur"),
        (ExportKind.CUR_2_0, "cloudspend-cur-2-0"),
        (ExportKind.FOCUS_1_0, "cloudspend-focus-1-0"),
        (ExportKind.FOCUS_1_2, "cloudspend-focus-1-2"),
    ],
)
def test_every_kind_is_invited_with_an_export_named_after_it(kind: ExportKind, name: str) -> None:
    made = invited(FakeAccounts(), export_kind=kind.lower())
    assert (made.account.export.kind, made.account.export.name) == (kind, name)
    given = parameters(made.link)
    assert (given["param_ExportKind"], given["param_ExportName"]) == (kind, name)


def test_only_a_legacy_report_may_have_dots_in_its_name() -> None:
    legacy = invited(FakeAccounts(), export_name="my.bill", export_kind="CUR_LEGACY")
    assert legacy.account.export.name == "my.bill"
    with pytest.raises(UsageError, match=r"'my\.bill' is not allowed"):
        invited(FakeAccounts(), export_name="my.bill", export_kind="FOCUS_1_2")


@pytest.mark.parametrize("kind", ExportKind)
def test_billing_detail_is_filled_where_the_export_can(kind: ExportKind) -> None:
    assert invited(FakeAccounts(), export_kind=kind).account.billing_detail is kind.is_cur
    without = invited(FakeAccounts(), export_kind=kind, billing_detail=False).account
    assert without.billing_detail is False


def test_a_focus_export_cannot_fill_billing_detail() -> None:
    with pytest.raises(UsageError, match="FOCUS_1_2 cannot fill the table billing_detail"):
        invited(FakeAccounts(), export_kind="FOCUS_1_2", billing_detail=True)


def test_tag_columns_are_kept_as_they_are_written_and_once() -> None:
    keys = ["Cost Center", "user:team", "aws:createdBy", "Cost Center"]
    assert invited(FakeAccounts(), tag_columns=keys).account.tag_columns == tuple(keys[:3])


@pytest.mark.parametrize(
    "keys",
    [[""], ["-"], ["user:-"], ["aws_\u00e9"], ["a\nb"], ["x" * 129], [f"t{n}" for n in range(11)]],
)
def test_what_no_column_can_be_named_after_is_refused(keys: list[str]) -> None:
    with pytest.raises(UsageError, match="is not allowed"):
        invited(FakeAccounts(), tag_columns=keys)


@given(st.from_regex(fields._TAG_KEY, fullmatch=True).filter(lambda key: len(key) <= 128))
def test_every_key_that_is_taken_names_a_column(key: str) -> None:
    assert fields.tag_columns([key]) == (key,)
    assert re.fullmatch("tag_[a-z0-9]+", tag_column(key))


UNITS = ("ou-ab12-1234abcd", "r-ab12")


@pytest.mark.parametrize(
    ("stacks", "targets"),
    [("service_managed", UNITS), ("SELF_MANAGED", ("222222222222", "333333333333"))],
)
def test_one_link_creates_the_stack_and_reaches_the_members(
    stacks: str, targets: tuple[str, ...]
) -> None:
    made = invited(FakeAccounts(), member_stacks=stacks, members_in=[*targets, targets[0]])
    given = parameters(made.link)
    assert (given["param_MemberStacks"], given["param_MembersIn"]) == (
        stacks.upper(),
        ",".join(targets),
    )
    assert given["param_RegistrationToken"]
    assert made.members_link is None


def test_a_delegated_administrator_gets_a_link_of_its_own_without_a_token() -> None:
    made = invited(FakeAccounts(), member_stacks="DELEGATED_ADMIN", members_in=UNITS)
    assert not any("Member" in name for name in parameters(made.link))
    assert parameters(str(made.members_link)) == {
        "templateURL": SETTINGS.members_template_url,
        "stackName": "cloudspend-members",
        "param_PlatformAccountId": "000000000000",
        "param_ExternalId": made.account.external_id,
        "param_MembersIn": ",".join(UNITS),
    }


def test_members_are_left_alone_unless_something_is_said_of_them() -> None:
    made = invited(FakeAccounts())
    assert not any("Member" in name for name in parameters(made.link))
    assert made.members_link is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"member_stacks": "SOME"}, "The member stacks 'SOME' is not allowed"),
        ({"members_in": UNITS}, "there are to be none"),
        ({"member_stacks": "SERVICE_MANAGED"}, "The list of members for SERVICE_MANAGED ''"),
        ({"member_stacks": "SELF_MANAGED"}, "The list of members for SELF_MANAGED ''"),
        (
            {"member_stacks": "SERVICE_MANAGED", "members_in": ["222222222222"]},
            "The unit '222222222222' is not allowed",
        ),
        (
            {"member_stacks": "DELEGATED_ADMIN", "members_in": ["ou-ab12"]},
            "The unit 'ou-ab12' is not allowed",
        ),
        (
            {"member_stacks": "SELF_MANAGED", "members_in": ["r-ab12"]},
            "The account id 'r-ab12' is not allowed",
        ),
        (
            {"type": "LINKED", "member_stacks": "SERVICE_MANAGED", "members_in": UNITS},
            "has no member accounts",
        ),
        (
            {
                "member_stacks": "SERVICE_MANAGED",
                "members_in": [f"ou-ab12-{n:032d}" for n in range(20)],
            },
            "The quick-create link would have",
        ),
    ],
)
def test_members_that_cannot_be_reached_like_that_are_refused(
    changes: dict[str, Any], said: str
) -> None:
    registry, bus = FakeAccounts(), FakeBus()
    with pytest.raises(UsageError) as caught:
        invited(registry, bus, **changes)
    assert caught.value.summary.startswith(said) or said in caught.value.summary
    assert caught.value.remedy
    assert (list(registry.list()), bus.events) == ([], [])
