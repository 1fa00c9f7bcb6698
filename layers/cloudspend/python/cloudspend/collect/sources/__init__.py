"""All sources, one module each. A new source is a module, a line in `SOURCES`, and a test."""

from collections.abc import Mapping

from cloudspend.collect.source import Source
from cloudspend.collect.sources import (
    budget_notifications,
    budgets,
    cost_categories,
    daily_charge_types,
    daily_services,
    dimension_values,
    invoices,
    monthly_services,
    organization_accounts,
    reservation_coverage,
    reservation_recommendations,
    reservation_utilization,
    savings_plans_coverage,
    savings_plans_utilization,
    tag_keys,
)

_ALL = (
    daily_services.SOURCE,
    daily_charge_types.SOURCE,
    monthly_services.SOURCE,
    dimension_values.SOURCE,
    tag_keys.SOURCE,
    cost_categories.SOURCE,
    reservation_coverage.SOURCE,
    reservation_utilization.SOURCE,
    reservation_recommendations.SOURCE,
    savings_plans_utilization.SOURCE,
    savings_plans_coverage.SOURCE,
    budgets.SOURCE,
    budget_notifications.SOURCE,
    invoices.SOURCE,
    organization_accounts.SOURCE,
)
# In order of collection: the most wanted first, since the day's request budget may run out.
SOURCES: Mapping[str, Source] = {source.name: source for source in _ALL}
TABLES = tuple(source.table for source in _ALL)
