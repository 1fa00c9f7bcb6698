"""AWS's billing services for the local cloud: Cost Explorer, reports, Organizations.

    ledger          the bill as AWS knows it, posted to `/_local/ledger`
    amounts         what one line item costs, in each of Cost Explorer's ways
    vocabulary      Cost Explorer's words for services and charge types
    cost_explorer   `ce`, computed from the ledger
    organizations   `organizations`, from what was told to `/_local/world`
    cur             `cur`, the report definitions of each account

All of it plays AWS. It shares no code with the platform, whose figures it is there to contradict.
"""

from local import services
from local.billing import cost_explorer, cur, ledger, organizations


def install() -> None:
    """Put the services onto the local cloud's seams, in place of what stands there."""
    services.add_json_service("ce", "AWSInsightsIndexService", "ce", cost_explorer.HANDLERS)
    services.add_json_service("cur", "AWSOrigamiServiceGateway", "cur", cur.HANDLERS)
    services.add_json_service(
        "organizations", "AWSOrganizationsV20161128", "organizations", organizations.HANDLERS
    )


def reset() -> None:
    """Forget every bill, report definition and organization."""
    ledger.LEDGER.clear()
    cur.clear()
    organizations.clear()
