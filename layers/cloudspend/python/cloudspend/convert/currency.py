"""The one currency of a task's rows."""

from cloudspend.convert.rows import Rows


class Currency:
    """The currency of the first row that has one; empty until then."""

    def __init__(self, column: str) -> None:
        self._column = column
        self.code = ""

    def check(self, rows: Rows) -> None:
        """Raise DeliveryError at the first row of another currency: such costs cannot be added
        up."""
        values = rows.text(self._column).dictionary_decode()
        found = values.unique().drop_null()
        for row, value in sorted((values.index(one).as_py(), one.as_py()) for one in found):
            first = self.code or value
            if value != first:
                what = f"another currency than {first}"
                raise rows.refused(self._column, row, what, value)
            self.code = first
