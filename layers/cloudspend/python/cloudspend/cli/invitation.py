"""Options of `cloudspend accounts invite` for the customer's stack."""

from typing import Annotated

import typer

from cloudspend.accounts.model import (
    AccountType,
    ConnectionKind,
    ExportKind,
    ExportSetup,
    MemberStacks,
)

Invited = Annotated[str, typer.Argument(help="12 digits, e.g. 111111111111")]
Type = Annotated[
    AccountType | None,
    typer.Option(
        "--type",
        help="A management account with its members, or a single account. Default: ORGANIZATION.",
    ),
]
Partition = Annotated[
    str | None,
    typer.Option(help="aws, aws-us-gov or aws-cn; the platform's own, which is the default."),
]
Kind = Annotated[ExportKind | None, typer.Option(help="What AWS is to deliver. Default: CUR_2_0.")]
Setup = Annotated[
    ExportSetup,
    typer.Option(help="What the stack makes: bucket and export, the export alone, or neither."),
]
Bucket = Annotated[str | None, typer.Option(help="Name of the export's bucket.")]
Prefix = Annotated[str | None, typer.Option(help="Prefix within the bucket.")]
ExportName = Annotated[str | None, typer.Option(help="Name of the export.")]
Connection = Annotated[
    ConnectionKind,
    typer.Option(
        help="How CloudSpend is to get in. For ACCESS_KEY, where no role can be had, the stack "
        "makes bucket and export alone; then give the key with 'accounts connect-key'."
    ),
]
PhoneHome = Annotated[
    bool,
    typer.Option(
        "--phone-home/--no-phone-home",
        help="Whether the customer's stack may tell CloudSpend of itself. Without: enter its "
        "role with 'accounts connect'.",
    ),
]
Stacks = Annotated[
    MemberStacks,
    typer.Option(
        help="How member accounts get the stack that shows that they are reached: by a "
        "StackSet of the management account, or of a delegated administrator."
    ),
]
MembersIn = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID",
        help="An organizational unit or the root, for SELF_MANAGED an account; repeat it.",
    ),
]
