"""Tables for people (HTML with proper headers) and for machines (CSV in a link)."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from urllib.parse import quote

from simulation.report.wording import slug


@dataclass(frozen=True)
class Table:
    """One table of a page.

    Parameters
    ----------
    caption : str
        What the table holds, with units.
    columns : tuple of str
        Column headers.
    rows : tuple of tuple of str
        Cells as shown; the first of each row is its header.
    raw : tuple of tuple of object
        Cells as downloaded, at full precision; the shown cells where empty.
    raw_columns : tuple of str
        Headers of the download; the shown headers where empty.
    text_columns : tuple of int
        Columns that hold words and are aligned left, besides the first.
    row_classes : tuple of str
        Style of each row, for example ``"fails"``; none where empty.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    raw: tuple[tuple[object, ...], ...] = ()
    raw_columns: tuple[str, ...] = ()
    text_columns: tuple[int, ...] = field(default=())
    row_classes: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Name under which the table is saved."""
        return slug(self.caption)[:60].strip("-") + ".csv"

    @property
    def link(self) -> str:
        """The table as a link that holds the whole file, so that it works without a network."""
        return "data:text/csv;charset=utf-8," + quote(self.to_csv())

    def to_csv(self) -> str:
        """The table as comma-separated values with full precision."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([safe_cell(name) for name in (self.raw_columns or self.columns)])
        for row in self.raw or self.rows:
            writer.writerow([safe_cell(cell) for cell in row])
        return out.getvalue()

    def row_class(self, index: int) -> str:
        """Style of a row."""
        return self.row_classes[index] if self.row_classes else ""


def safe_cell(cell: object) -> object:
    """A cell that a spreadsheet shows and never runs: words that look like a formula get a leading
    apostrophe."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        try:
            float(cell)
        except ValueError:
            return "'" + cell
    return "" if cell is None else cell
