"""Names of columns and labels in the different spellings that AWS uses for the same thing."""

import re

from cloudspend.errors import UsageError

# Prefixes that show the origin of a tag key, in the legacy report's CSV and in all snake-case
# forms.
USER_MARKS = ("user:", "user_")
AWS_MARKS = ("aws:", "aws_")
AWS_PREFIX = "aws:"
TAG_COLUMN = "tag_"
LONGEST_COLUMN = 255


def column_key(name: str) -> str:
    """Return a key that is equal for every spelling: `lineItem/UnblendedCost`,
    `line_item_unblended_cost`.

    Legacy CSV uses the first form, its Athena form the second, and AWS's documents differ in case
    (`savingsPlan/SavingsPlanARN`). Only letters and digits count.
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def snake(name: str) -> str:
    """Convert to AWS's snake case: `CostCenter` is `cost_center`, `SavingsPlanARN`
    savings_plan_a_r_n.

    Source: AWS CUR user guide, "Running Amazon Athena queries", column names: an underscore before
    each capital letter, lower case, an underscore for any character that is not a letter or digit,
    no double underscore, and none at the ends.
    """
    separate = re.sub(r"([A-Z])", r"_\1", name).lower()
    return re.sub(r"[^a-z0-9]+", "_", separate).strip("_")


def chosen_key(key: str) -> str:
    """Return a tag key without its origin prefix: `user:Team` is `Team`, `user_team` is `team`.

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
    """Return a key that is equal for all spellings of a tag key: `CostCenter` and `cost-center`.

    Lower-case letters and digits only, because the report's snake case cannot be reversed. Keys of
    AWS keep `aws:`. A key without letters or digits is returned unchanged.
    """
    mark = AWS_PREFIX if key.startswith(AWS_PREFIX) else ""
    plain = "".join(sign for sign in key.removeprefix(mark).casefold() if sign.isalnum())
    return mark + (plain or key.removeprefix(mark))


def tag_column(key: str) -> str:
    """Return the name of the column for a tag's values: `Cost Center` is `tag_costcenter`.

    Raises UsageError for a key that cannot be the name of an Athena column.
    """
    plain = column_key(label_key(chosen_key(key)))
    if not plain or len(TAG_COLUMN + plain) > LONGEST_COLUMN:
        raise UsageError(
            f"No column can be named after the tag {key!r}.",
            remedy="Name a key with letters (a to z) or digits, of at most 250 characters.",
        )
    return TAG_COLUMN + plain
