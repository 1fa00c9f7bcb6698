"""A month of an organization with every kind of charge, small enough to be checked by hand.

Line items as AWS's legacy report has them: on-demand usage with a net price, reservations and
savings plans with upfront, partial and recurring fees, used and unused, and all that is neither.
What Cost Explorer and Invoicing say of them is `local.billing`'s, which works it out by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cloudspend.exports.model import BillingPeriod
from local.world.bill import Bill
from local.world.columns import in_aws_order

Item = dict[str, str]

# As many as every month has, so that all of them cost the same.
DAYS = 28
PLAN_REFUND = "Refund for one-time fee for Savings Plan ID 6f1d2c34"
MARKETPLACE = "5abcmarketplace"
TAG = "resourceTags/user:team"
_INVOICE, _MARKETPLACE_INVOICE = "2110000001", "2110000002"


@dataclass(frozen=True)
class Members:
    """Who is in the organization: the account that pays, and three that use."""

    payer: str
    production: str
    staging: str
    data: str


@dataclass(frozen=True)
class Month:
    """An organization's month, in one currency."""

    members: Members
    period: BillingPeriod
    currency: str = "USD"

    def items(self) -> list[Item]:
        """Every charge of the month."""
        return [*self._daily(), *self._reserved(), *self._planned(), *self._others()]

    def _daily(self) -> list[Item]:
        """On-demand usage of each of the first `DAYS` days, some of it at a net price."""
        of = self.members
        first = self.period.start.date()
        return [
            self._item(
                "Usage", account, code, usage, cost,
                day=f"{first + timedelta(days=n)}", lineItem__NetUnblendedCost=net,
            )
            for n in range(DAYS)
            for account, code, usage, cost, net in (
                (of.production, "AmazonS3", "TimedStorage-ByteHrs", "2.00", "1.90"),
                (of.staging, "AmazonEC2", "BoxUsage:t3.medium", "1.10", ""),
                (of.staging, "AmazonEC2", "EBS:VolumeUsage.gp3", "0.25", ""),
            )
        ]  # fmt: skip

    def _reserved(self) -> list[Item]:
        """A reservation, paid partly upfront and partly each month, of which a part is unused."""
        data = self.members.data
        arn = f"arn:aws:ec2:us-east-1:{data}:reserved-instances/0b1c2d3e"
        reserved = {"reservation__ReservationARN": arn}
        hours = ("AmazonEC2", "BoxUsage:c5.xlarge")
        return [
            self._item("DiscountedUsage", data, *hours, "10.00", **reserved,
                       reservation__EffectiveCost="25.00", reservation__NetEffectiveCost="23.75"),
            self._item("RIFee", data, "AmazonEC2", "HeavyUsage:c5.xlarge", "40.00", **reserved,
                       reservation__UnusedAmortizedUpfrontFeeForBillingPeriod="6.00",
                       reservation__NetUnusedAmortizedUpfrontFeeForBillingPeriod="5.70",
                       reservation__UnusedRecurringFee="4.00",
                       reservation__NetUnusedRecurringFee="3.80"),
            self._item("Fee", data, "AmazonEC2", "HeavyUsage:c5.xlarge", "300.00", **reserved),
        ]  # fmt: skip

    def _planned(self) -> list[Item]:
        """The same of a savings plan, one of whose fees was paid back."""
        payer, production = self.members.payer, self.members.production
        arn = f"arn:aws:savingsplans::{payer}:savingsplan/6f1d2c34"
        planned = {"savingsPlan__SavingsPlanARN": arn}
        hours = ("AmazonEC2", "BoxUsage:m5.xlarge")
        plan = ("ComputeSavingsPlans", "ComputeSP:1yrPartialUpfront")
        return [
            self._item("SavingsPlanCoveredUsage", production, *hours, "50.00", **planned,
                       savingsPlan__SavingsPlanEffectiveCost="35.00",
                       savingsPlan__NetSavingsPlanEffectiveCost="33.25"),
            self._item("SavingsPlanNegation", production, *hours, "-50.00", **planned),
            self._item("SavingsPlanRecurringFee", payer, *plan, "60.00", **planned,
                       savingsPlan__TotalCommitmentToDate="60.00",
                       savingsPlan__UsedCommitment="52.00"),
            self._item("SavingsPlanUpfrontFee", payer, *plan, "365.00", **planned),
            self._item("Refund", payer, *plan, "-20.00",
                       lineItem__LineItemDescription=PLAN_REFUND),
        ]  # fmt: skip

    def _others(self) -> list[Item]:
        """Corrections, tax, support, Marketplace, and discounts of contracts."""
        of = self.members
        storage, requests = ("AmazonS3", "TimedStorage-ByteHrs"), ("AmazonS3", "Requests-Tier1")
        return [
            self._item("Refund", of.production, *requests, "-3.25"),
            self._item("Credit", of.staging, "AmazonEC2", "BoxUsage:t3.medium", "-12.50"),
            self._item("Tax", of.production, "AmazonS3", "", "18.40"),
            self._item("Fee", of.payer, "AWSSupportBusiness", "Dollar", "100.00"),
            self._item("Usage", of.data, MARKETPLACE, "SoftwareUsage", "15.00",
                       bill__InvoiceId=_MARKETPLACE_INVOICE,
                       bill__BillingEntity="AWS Marketplace",
                       product__ProductName="A Marketplace Product"),
            self._item("EdpDiscount", of.production, *storage, "-7.00"),
            self._item("PrivateRateDiscount", of.production, *storage, "-2.00"),
            self._item("BundledDiscount", of.production, *requests, "-1.00"),
        ]  # fmt: skip

    def _item(self, kind: str, account: str, code: str, usage: str, cost: str, **more: str) -> Item:
        """A line item; `more` are further columns, with `__` for the slash."""
        day = more.pop("day", f"{self.period}-15")
        return {
            "identity/LineItemId": "",
            "bill/InvoiceId": _INVOICE,
            "bill/BillingEntity": "AWS",
            "bill/BillType": "Anniversary",
            "bill/PayerAccountId": self.members.payer,
            "bill/BillingPeriodStartDate": f"{self.period.start:%Y-%m-%dT%H:%M:%SZ}",
            "bill/BillingPeriodEndDate": f"{self.period.end:%Y-%m-%dT%H:%M:%SZ}",
            "lineItem/UsageAccountId": account,
            "lineItem/LineItemType": kind,
            "lineItem/UsageStartDate": f"{day}T00:00:00Z",
            "lineItem/UsageEndDate": f"{day}T01:00:00Z",
            "lineItem/ProductCode": code,
            "lineItem/UsageType": usage,
            "lineItem/UsageAmount": "1",
            "lineItem/CurrencyCode": self.currency,
            "lineItem/UnblendedCost": cost,
            "lineItem/ResourceId": "a-resource",
            TAG: "shop",
            **{name.replace("__", "/"): value for name, value in more.items()},
        }


def in_files(items: Sequence[Item], size: int = 42) -> list[list[Item]]:
    """The line items in files of that many rows."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def columns_of(items: Iterable[Item]) -> list[str]:
    """Every column that one of the line items has, in AWS's order."""
    return in_aws_order(dict.fromkeys(name for each in items for name in each))


def to_bill(payer: str, period: BillingPeriod, files: Sequence[Sequence[Item]]) -> Bill:
    """The files as AWS would deliver them."""
    columns = columns_of(each for file in files for each in file)
    rows = tuple(
        tuple(tuple(each.get(name, "") for name in columns) for each in file) for file in files
    )
    return Bill(payer, period, tuple(columns), rows, final=True)
