"""Names of columns and labels, in the spellings that AWS uses for one and the same thing."""

import re

from cloudspend.errors import UsageError

# Marks of who has chosen a tag's key, in the legacy report's csv and in all snake-case forms.
USER_MARKS = ("user:", "user_")
AWS_MARKS = ("aws:", "aws_")
AWS_PREFIX = "aws:"
TAG_COLUMN = "tag_"
LONGEST_COLUMN = 255


def column_key(name: str) -> str:
    """The same for every spelling: `lineItem/UnblendedCost` and `line_item_unblended_cost`.

    Legacy CSV has the first, its Athena form the second, and AWS's own documents differ in case
    (`savingsPlan/SavingsPlanARN`), so that only letters and digits count.
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def snake(name: str) -> str:
    """AWS's own snake case: `CostCenter` is `cost_center`, `SavingsPlanARN` savings_plan_a_r_n.

    Source: AWS CUR user guide, "Running Amazon Athena queries", column names: an underscore before
    each capital letter, lower case, an underscore for what is no letter or digit, none doubled and
    none at the ends.
    """
    separate = re.sub(r"([A-Z])", r"_\1", name).lower()
    return re.sub(r"[^a-z0-9]+", "_", separate).strip("_")


def chosen_key(key: str) -> str:
    """A tag's key without the mark of its origin: `user:Team` is `Team`, `user_team` is `team`.

    Keys of AWS get FOCUS's provider prefix: `aws:createdBy` stays, `aws_created_by` becomes
    `aws:created_by`.
    """
    for mark in USER_MARKS:
        if key.startswith(mark) and key != mark:
            return key.removeprefix(mark)
    for mark in AWS_MARKS:
        if key.startswith(mark) and key != mark:
            return AWS_PREFIX + key.removeprefix(mark)
    return key


def label_key(key: str) -> str:
    """What all spellings of a chosen key have in common: `CostCenter` and `cost-center` agree.

    Lower-case letters and digits only, since the report's snake case cannot be turned back; keys
    of AWS keep `aws:`. A key that has neither letter nor digit is its own form.
    """
    mark = AWS_PREFIX if key.startswith(AWS_PREFIX) else ""
    plain = "".join(sign for sign in key.removeprefix(mark).casefold() if sign.isalnum())
    return mark + (plain or key.removeprefix(mark))


def tag_column(key: str) -> str:
    """The column that a tag's values have of their own: `Cost Center` is `tag_costcenter`.

    Raises UsageError for a key that no column of Athena can be named after.
    """
    plain = column_key(label_key(chosen_key(key)))
    if not plain or len(TAG_COLUMN + plain) > LONGEST_COLUMN:
        raise UsageError(
            f"No column can be named after the tag {key!r}.",
            remedy="Name a key with letters (a to z) or digits, of at most 250 characters.",
        )
    return TAG_COLUMN + plain
