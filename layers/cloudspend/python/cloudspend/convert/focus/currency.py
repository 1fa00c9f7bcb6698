"""The single currency of a task's rows."""

from cloudspend.convert.engine.rows import Rows


class Currency:
    """The currency of the first row that has one; empty before that."""

    def __init__(self, column: str) -> None:
        self._column = column
        self.code = ""

    def check(self, rows: Rows) -> None:
        """Raise DeliveryError at the first row with another currency: such costs cannot be
        added.
        """
        values = rows.text(self._column)
        # In the order of the rows.
        for value in values.unique().drop_null().to_pylist():
            self.code = self.code or value
            if value != self.code:
                row = values.dictionary_decode().index(value).as_py()
                what = f"another currency than {self.code}"
                raise rows.refused(self._column, row, what, value)
