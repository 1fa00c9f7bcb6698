"""Events of Collect: sources that fail or recover, and the request budget."""

from cloudspend.alerts.catalog.event_type import Count, EventDetails, Money
from cloudspend.alerts.event import Severity

AGAIN = "Collect it again: cloudspend collect {id} --source {source}."


class SourceDegraded(EventDetails, frozen=True, kw_only=True):
    """AWS refuses a source that worked before."""

    severity = Severity.WARNING
    title = "AWS refuses the source {source}"
    sentence = (
        "AWS refuses the source {source} of {name} ({id}). All other sources are collected. "
        "{reason}"
    )
    actions = ("Follow the reason, or do without the source.", AGAIN)
    source: str
    reason: str


class SourceRecovered(EventDetails, frozen=True, kw_only=True):
    """A source can be collected again."""

    severity = Severity.INFO
    title = "the source {source} is collected again"
    sentence = "The source {source} of {name} ({id}) is collected again."
    source: str


class SourceFailed(EventDetails, frozen=True, kw_only=True):
    """A source failed after all retries."""

    severity = Severity.WARNING
    title = "the source {source} could not be collected"
    sentence = "The source {source} of {name} ({id}) could not be collected. {reason}"
    actions = ("See the log of cloudspend-collect-source.", AGAIN)
    source: str
    reason: str


class CollectCapReached(EventDetails, frozen=True, kw_only=True):
    """An account's request budget for the day is used up."""

    severity = Severity.WARNING
    title = "the day's Cost Explorer budget of {pages} pages is used up"
    sentence = (
        "On {day}, CloudSpend requested {pages} pages of Cost Explorer from {name} ({id}), the "
        "daily maximum. They cost the account {cost} USD. Collected data is kept; the rest follows."
    )
    actions = (
        "If this happens every day, deploy with a higher stage setting collect_pages.",
        "See which sources use the pages: cloudspend collect {id}.",
    )
    day: str
    pages: Count
    cost: Money


class SourceStuck(EventDetails, frozen=True, kw_only=True):
    """A source makes no progress within the request budget."""

    severity = Severity.WARNING
    title = "the source {source} has made no progress for {days} days"
    sentence = (
        "The source {source} of {name} ({id}) has made no progress for {days} days. Other sources "
        "use all {pages} pages of Cost Explorer per day, or one question needs more."
    )
    actions = (
        "Deploy with a higher stage setting collect_pages; the source cannot finish otherwise.",
        AGAIN,
    )
    source: str
    days: Count
    pages: Count


class CollectCompleted(EventDetails, frozen=True, kw_only=True):
    """A run of Collect has ended."""

    severity = Severity.INFO
    title = "collected from {accounts} accounts, {failed} sources failed"
    sentence = (
        "{name} ({id}) has collected from {accounts} accounts: {collected} sources are up to date, "
        "{not_available} have no data, {degraded} are refused, {capped} continue tomorrow, "
        "{failed} failed. The run requested {pages} pages, for {cost} USD."
    )
    collect: str
    accounts: Count
    collected: Count
    not_available: Count
    degraded: Count
    capped: Count
    failed: Count
    pages: Count
    cost: Money
