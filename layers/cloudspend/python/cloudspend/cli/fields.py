"""Options for the fields of an account, shared by several commands."""

from typing import Annotated

import typer

Name = Annotated[
    str | None, typer.Option(help="Display name; unique without regard to case. A new account's.")
]
Regions = Annotated[
    list[str] | None, typer.Option(help="A region the customer mainly uses; repeat for more.")
]
StartDate = Annotated[
    str | None, typer.Option(help="YYYY-MM-DD: take in bills from here on. Default: a year.")
]
Retention = Annotated[
    str | None,
    typer.Option(
        help="Months for which data, and delivered files, are kept: 13, 36 or 84; keep: for good."
    ),
]
BillingDetail = Annotated[
    bool | None,
    typer.Option(
        "--billing-detail/--no-billing-detail",
        help="Fill the table billing_detail as well. Default: yes, where the export is a CUR.",
    ),
]
TagColumns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY",
        help="A tag that gets a column of its own in cost_and_usage; repeat for up to 10.",
    ),
]
MoveCoverage = Annotated[
    bool | None,
    typer.Option(
        "--move-coverage/--no-move-coverage",
        help="Whether an organization takes over what its members bring that are onboarded by "
        "themselves; otherwise it is refused, since their cost would be counted twice.",
    ),
]
Contacts = Annotated[
    list[str] | None,
    typer.Option(metavar="EMAIL", help="Whom to write to at the customer's; repeat for up to 10."),
]
Owner = Annotated[str | None, typer.Option(help="Who in your own house looks after the account.")]
CostCentre = Annotated[str | None, typer.Option(help="Your own cost centre for the account.")]
Freshness = Annotated[
    str | None,
    typer.Option(
        "--freshness-hours",
        metavar="HOURS",
        help="A delivery and its newest charge may be so old, 12 to 720; usual: as the platform "
        "expects.",
    ),
]
Notes = Annotated[str | None, typer.Option(help="Anything else, up to 2000 characters.")]
