"""The operator's choice of member accounts that get a stack."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cloudspend.accounts import fields
from cloudspend.accounts.model import AccountType, MemberStacks
from cloudspend.errors import UsageError

# The error of StackSets without trusted access: "You must enable organizations access to operate a
# service managed stack set".
TRUSTED_ACCESS = (
    "Trusted access of StackSets must be activated in the management account (CloudFormation "
    "console, StackSets, Activate trusted access); enabling it in AWS Organizations is not enough."
)
# Prerequisites, without which StackSets refuses and the stack fails.
NEEDED = {
    MemberStacks.SERVICE_MANAGED: TRUSTED_ACCESS,
    MemberStacks.DELEGATED_ADMIN: f"{TRUSTED_ACCESS} The account must be registered there as a "
    "delegated administrator for StackSets.",
    MemberStacks.SELF_MANAGED: "The role AWSCloudFormationStackSetAdministrationRole must exist in "
    "the management account, and AWSCloudFormationStackSetExecutionRole, which trusts it, in each "
    "member account.",
}
UNITS = (
    "the id of an organizational unit (ou-ab12-1234abcd), or of the root (r-ab12) for all accounts"
)
# AWS Organizations API reference, OrganizationalUnit and Root.
_UNIT = re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}")


@dataclass(frozen=True)
class MembersChoice:
    """How member accounts get their stack, and which ones: units, or accounts for SELF_MANAGED."""

    stacks: MemberStacks = MemberStacks.NONE
    targets: tuple[str, ...] = ()

    @property
    def in_the_same_stack(self) -> bool:
        """Return whether the customer's own stack contains the StackSet."""
        return self.stacks in {MemberStacks.SERVICE_MANAGED, MemberStacks.SELF_MANAGED}


NO_MEMBERS = MembersChoice()


def members_choice(text: str, targets: Sequence[str], account_type: AccountType) -> MembersChoice:
    """Validate the choice. Raises UsageError for an invalid combination."""
    stacks = fields.one_of("member stacks", text, MemberStacks)
    if stacks is MemberStacks.NONE:
        if targets:
            raise UsageError(
                f"{', '.join(targets)} is named for member stacks, and there are to be none.",
                remedy="Say how they get there: --member-stacks SERVICE_MANAGED, for example.",
            )
        return NO_MEMBERS
    if account_type is not AccountType.ORGANIZATION:
        raise UsageError(
            f"An account of type {account_type} has no member accounts that could get a stack.",
            remedy="Leave --member-stacks out, or invite the management account as ORGANIZATION.",
        )
    if stacks is MemberStacks.SELF_MANAGED:
        found = tuple(dict.fromkeys(map(fields.account_id, targets)))
        allowed = "at least one account id"
    else:
        found = tuple(dict.fromkeys(map(_unit, targets)))
        allowed = f"at least one, each {UNITS}"
    if not found:
        raise fields.refused(f"list of members for {stacks}", "", allowed)
    return MembersChoice(stacks, found)


def _unit(text: str) -> str:
    if not _UNIT.fullmatch(text):
        raise fields.refused("unit", text, UNITS)
    return text
