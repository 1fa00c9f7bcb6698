"""Notifications of an account's budgets and their state."""

from collections.abc import Iterator

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import BUDGET_NOTIFICATIONS
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.lake.tables import Column


def read(ask: Ask, account: Account, asked: Days) -> Iterator[Found]:
    for page in ask(BUDGET_NOTIFICATIONS, {"AccountId": account.account_id}):
        for budget in page.get("BudgetNotificationsForAccount", ()):
            for notification in budget.get("Notifications", ()):
                yield (
                    asked.start,
                    {
                        "budget_name": budget["BudgetName"],
                        "notification_type": notification["NotificationType"],
                        "comparison": notification["ComparisonOperator"],
                        "threshold": float(notification["Threshold"]),
                        # AWS omits the default (Budgets API reference, Notification).
                        "threshold_type": notification.get("ThresholdType", "PERCENTAGE"),
                        "state": notification.get("NotificationState"),
                    },
                )


SOURCE = Source(
    name="budget_notifications",
    table=table(
        "budget_notifications",
        "When the account's budgets notify somebody, and whether they do now",
        Granularity.SNAPSHOT,
        Column("budget_name", "string", "The budget's name"),
        Column("notification_type", "string", "ACTUAL or FORECASTED spend"),
        Column("comparison", "string", "GREATER_THAN, LESS_THAN or EQUAL_TO"),
        Column("threshold", "double", "A percentage of the limit, or an amount in its unit"),
        Column("threshold_type", "string", "PERCENTAGE or ABSOLUTE_VALUE"),
        Column("state", "string", "ALARM when the threshold is reached, else OK"),
    ),
    grain=Granularity.SNAPSHOT,
    key=("budget_name", "notification_type", "comparison", "threshold", "threshold_type"),
    overlap=1,
    calls=(BUDGET_NOTIFICATIONS,),
    read=read,
)
