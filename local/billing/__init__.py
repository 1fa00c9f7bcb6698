"""AWS's billing services for the local cloud: Cost Explorer, reports, Organizations.

    ledger          the bill as AWS knows it, posted to `/_local/ledger`
    amounts         what one line item costs, in each of Cost Explorer's ways
    vocabulary      Cost Explorer's words for services and charge types
    cost_explorer   `ce`, computed from the ledger
    commitments     the part of `ce` about reservations and Savings Plans
    labels          the part of `ce` about tags and cost categories
    budgets         `budgets`, posted to `/_local/budgets`, with what was spent by the ledger
    invoices        `invoicing`, the ledger's line items by the invoice they stand on
    organizations   `organizations`, from what was posted to `/_local/world`
    cur             `cur`, the report definitions of each account
    data_exports    `bcm-data-exports`, the exports of each account

All of it plays AWS. It shares no code with the platform, whose figures it is there to contradict.
"""

from local import services
from local.billing import (
    budgets,
    commitments,
    cost_explorer,
    cur,
    data_exports,
    invoices,
    labels,
    ledger,
    organizations,
)

COST_EXPLORER = {**cost_explorer.HANDLERS, **commitments.HANDLERS, **labels.HANDLERS}


def install() -> None:
    """Put the services onto the local cloud's seams, in place of what is there."""
    services.add_json_service("ce", "AWSInsightsIndexService", "ce", COST_EXPLORER)
    services.add_json_service("cur", "AWSOrigamiServiceGateway", "cur", cur.HANDLERS)
    services.add_json_service(
        "bcm-data-exports",
        "AWSBillingAndCostManagementDataExports",
        "bcm-data-exports",
        data_exports.HANDLERS,
    )
    services.add_json_service(
        "organizations", "AWSOrganizationsV20161128", "organizations", organizations.HANDLERS
    )
    services.add_json_service("invoicing", "Invoicing", "invoicing", invoices.HANDLERS)
    services.add_json_service(
        "budgets", "AWSBudgetServiceGateway", "budgets", budgets.HANDLERS, "budgets:ViewBudget"
    )


def reset() -> None:
    """Forget every bill, report definition, export, budget and organization."""
    ledger.LEDGER.clear()
    budgets.clear()
    cur.clear()
    data_exports.clear()
    organizations.clear()
