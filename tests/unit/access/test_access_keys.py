"""An access key on its way in: read, judged, shown by nothing, and too old in the end."""

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
FORMS = {
    "the answer of create-access-key": json.dumps(
        {"AccessKey": {"AccessKeyId": ID, "SecretAccessKey": SECRET, "Status": "Active"}}
    ),
    "what the vault keeps": KEY.to_text(),
    "the console's file": f"\ufeffAccess key ID,Secret access key\r\n{ID},{SECRET}\r\n",
    "two lines": f"  {ID}\n{SECRET}\n\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_read_as_aws_hands_it_out(form: str) -> None:
    assert read_key(FORMS[form]) == KEY


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
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_key(text)
    assert caught.value.remedy
    assert SECRET not in str(caught.value)
    assert ID not in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_that_is_no_key_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(UsageError, match=r"^.{0,20}What was given is no access key"):
        read_key(text)


def test_a_key_shows_itself_to_nobody() -> None:
    for shown in (repr(KEY), str(KEY), f"{KEY}", repr([KEY]), repr({"key": KEY})):
        assert SECRET not in shown
        assert ID not in shown
    assert KEY.ending == ID[-4:]


@pytest.mark.parametrize(
    ("account_id", "who", "says"),
    [
        ("222222222222", "user/u", "belongs to the account 222222222222"),
        ("111111111111", "root", "the root user's"),
        ("111111111111", "assumed-role/r/s", "is not an IAM user's"),
    ],
)
def test_only_a_user_of_the_account_is_let_in(account_id: str, who: str, says: str) -> None:
    identity = Identity(account_id, f"arn:aws:iam::{account_id}:{who}")
    with pytest.raises(ConnectionRefused, match=says) as caught:
        require_user_of(identity, "111111111111")
    assert caught.value.remedy


def with_key(days: float, **changes: Any) -> Any:
    made = NOW - timedelta(days=days)
    key = KeyFacts("arn:aws:iam::111111111111:user/u", "6789", made, True, made)
    return an_account(key=key, **changes)


@pytest.mark.parametrize(
    ("days", "limit", "kind"),
    [
        (0, None, None),
        (90, None, None),
        (90.01, 90, "AccessKeyAging"),
        (180, 90, "AccessKeyAging"),
        (180.01, 180, "AccessKeyTooOld"),
        (4000, 180, "AccessKeyTooOld"),
    ],
)
def test_a_key_grows_old_at_90_days_and_too_old_at_180(
    days: float, limit: int | None, kind: str | None
) -> None:
    found = old_key(with_key(days), NOW)
    assert (found and found.limit, found and found.event.__name__) == (limit, kind)


def test_an_account_without_a_key_has_no_old_one() -> None:
    assert old_key(an_account(), NOW) is None


def test_an_old_key_is_the_same_news_every_day_until_the_next_limit() -> None:
    said = []
    for days in (100, 101, 200):
        account = with_key(100)
        at = NOW + timedelta(days=days - 100)
        found = old_key(account, at)
        assert found
        said.append(old_key_event(account, found))
    first, repeat, worse = said
    assert first.event_id == repeat.event_id
    assert worse.detail_type != first.detail_type
    assert "100 days old" in first.summary


def test_where_aws_does_not_tell_a_key_s_age_it_is_at_least_that_old() -> None:
    account = with_key(91)
    facts = account.key
    unknown = an_account(key=KeyFacts(facts.user_arn, "6789", facts.made_at, False, facts.given_at))
    found = old_key(unknown, NOW)
    assert found
    assert "at least 91 days" in old_key_event(unknown, found).summary
