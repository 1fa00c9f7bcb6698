"""Names of columns, in the spellings that AWS uses for one and the same column."""

import re


def column_key(name: str) -> str:
    """The same for every spelling: `lineItem/UnblendedCost` and `line_item_unblended_cost`.

    Legacy CSV has the first, its Athena form the second, and AWS's own documents differ in case
    (`savingsPlan/SavingsPlanARN`), so that only letters and digits count.
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())
