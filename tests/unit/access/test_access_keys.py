"""Access keys: reading, owners, secrecy, and age limits."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.access.key_age import old_key, old_key_event
from cloudspend.access.keys import AccessKey, Identity, read_key, require_user_of
from cloudspend.accounts.model import KeyFacts
from cloudspend.errors import ConnectionRefused, UsageError
from tests.fakes.accounts import NOW, an_account

ID, SECRET = "AKIA" + "ABCDEFGH23456789", "abcd/EFGH+ijkl0123456789" + "Z" * 16
KEY = AccessKey(ID, SECRET)
FORMATS = {
    "the output of create-access-key": json.dumps(
        {"AccessKey": {"AccessKeyId": ID, "SecretAccessKey": SECRET, "Status": "Active"}}
    ),
    "the stored secret": KEY.to_text(),
    "the console's file": f"\ufeffAccess key ID,Secret access key\r\n{ID},{SECRET}\r\n",
    "two lines": f"  {ID}\n{SECRET}\n\n",
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_key_is_read_in_every_format_of_aws(form: str) -> None:
    assert read_key(FORMATS[form]) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"AKIA"',
        "[" * 9_000,
        ID,
        f"{SECRET}\n{ID}",
        f"{ID}\n{SECRET}x",
        f"{ID}\n{SECRET}\nmore",
        f"ASIA{ID[4:]}\n{SECRET}",
        f"111111111111\n{SECRET}",
        json.dumps({"AccessKeyId": 5, "SecretAccessKey": SECRET}),
        f"Access key ID,Secret access key\n{ID},{SECRET}\n{ID},{SECRET}\n",
        f"{ID}\n{SECRET}" + " " * 10_000,
    ],
)
def test_an_error_about_another_text_repeats_nothing_of_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_key(text)
    assert caught.value.remedy
    assert SECRET not in str(caught.value)
    assert ID not in str(caught.value)


@given(st.text(max_size=200))
def test_any_other_text_has_the_same_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"^.{0,20}The input is not an access key"):
        read_key(text)


def test_no_text_form_of_a_key_contains_it() -> None:
    for text in (repr(KEY), str(KEY), f"{KEY}", repr([KEY]), repr({"key": KEY})):
        assert SECRET not in text
        assert ID not in text
    assert KEY.ending == ID[-4:]


@pytest.mark.parametrize(
    ("account_id", "owner", "message"),
    [
        ("222222222222", "user/u", "belongs to the account 222222222222"),
        ("111111111111", "root", "the root user's"),
        ("111111111111", "assumed-role/r/s", "is not an IAM user's"),
    ],
)
def test_only_the_key_of_an_iam_user_of_the_account_is_accepted(
    account_id: str, owner: str, message: str
) -> None:
    identity = Identity(account_id, f"arn:aws:iam::{account_id}:{owner}")
    with pytest.raises(ConnectionRefused, match=message) as caught:
        require_user_of(identity, "111111111111")
    assert caught.value.remedy


def with_key(days: float, **changes: Any) -> Any:
    created = NOW - timedelta(days=days)
    key = KeyFacts("arn:aws:iam::111111111111:user/u", "6789", created, True, created)
    return an_account(key=key, **changes)


@pytest.mark.parametrize(
    ("days", "limit", "event_type"),
    [
        (0, None, None),
        (90, None, None),
        (90.01, 90, "AccessKeyAging"),
        (180, 90, "AccessKeyAging"),
        (180.01, 180, "AccessKeyTooOld"),
        (4000, 180, "AccessKeyTooOld"),
    ],
)
def test_a_key_is_aging_after_90_days_and_too_old_after_180(
    days: float, limit: int | None, event_type: str | None
) -> None:
    old = old_key(with_key(days), NOW)
    assert (old and old.limit, old and old.event.__name__) == (limit, event_type)


def test_an_account_without_a_key_has_no_old_key() -> None:
    assert old_key(an_account(), NOW) is None


def test_an_old_key_has_one_event_for_each_limit() -> None:
    events = []
    for days in (100, 101, 200):
        account = with_key(100)
        at = NOW + timedelta(days=days - 100)
        old = old_key(account, at)
        assert old
        events.append(old_key_event(account, old))
    first, repeat, worse = events
    assert first.event_id == repeat.event_id
    assert worse.detail_type != first.detail_type
    assert "100 days old" in first.summary


def test_an_unknown_age_is_reported_as_a_lower_bound() -> None:
    account = with_key(91)
    facts = account.key
    unknown = an_account(key=KeyFacts(facts.user_arn, "6789", facts.made_at, False, facts.given_at))
    old = old_key(unknown, NOW)
    assert old
    assert "at least 91 days" in old_key_event(unknown, old).summary
