"""Months from before an export began: list them, and write the support case for them.

AWS delivers an export from the month of its creation. Earlier months require a support case (AWS
Cost and Usage Report user guide, "Troubleshooting Cost and Usage Reports").
"""

from collections.abc import Collection
from datetime import date, datetime

from cloudspend.accounts.model import Account
from cloudspend.exports.kinds import NAMES
from cloudspend.exports.model import BillingPeriod


def missing_months(
    start: date, published: Collection[BillingPeriod], now: datetime
) -> list[BillingPeriod]:
    """Return the unpublished months from `start`, without the current one, in order."""
    months, month = [], BillingPeriod(start.year, start.month)
    while month < BillingPeriod.of(now):
        if month not in published:
            months.append(month)
        month = month.next
    return months


def support_case(account: Account, months: list[BillingPeriod]) -> str:
    """Return the text of the support case, which the customer opens in the account of the bill."""
    export = account.export
    listed = "\n".join(f"  - {month}" for month in months)
    return f"""\
Subject: Backfill of a cost export

Please backfill the following export of the account {account.account_id}.

  Name:     {export.name}
  Kind:     {NAMES[export.kind].removeprefix("a ")}
  Location: s3://{export.bucket}/{export.prefix}

Billing periods:
{listed}

The export, its bucket and the bucket's policy stay as they are while you do so. Please tell us when
all files are delivered, and which of these periods you cannot provide."""
