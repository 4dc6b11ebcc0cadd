"""Reads delimited text with care: what is not as it seems is refused, or named in a warning."""

import codecs
import csv
import io
import warnings
from collections.abc import Sequence

import pandas as pd

DELIMITERS = ",;\t|"
UNNAMED = ("", "Unnamed: 0")  # the second is what pandas makes of the first


def read_csv(data: bytes | str) -> pd.DataFrame:
    r"""The cells of a table as text, its columns by their names.

    Rows that end in a delimiter, columns without a name and names of rows without a column are found by counting.

    Args:
        data: text, or bytes in UTF-8 or, with a byte order mark, UTF-16; delimited by comma, semicolon, tab or bar.

    Raises:
        ValueError: another encoding, broken quotes, rows of unequal length, names that are empty or appear twice.

    Example:
        >>> read_csv("item;A;B\na;1;\nb;2;3").to_dict("list")
        {'item': ['a', 'b'], 'A': ['1', '2'], 'B': ['', '3']}
    """
    text = (decode(data) if isinstance(data, bytes) else data).lstrip("\ufeff").strip("\r\n")
    if "\0" in text:
        raise ValueError("The table holds NUL characters, so it is no text. Give a CSV file, not a spreadsheet.")
    first = text.partition("\n")[0].rstrip("\r")
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    header, rows, lines = _rows(text, delimiter)
    header, rows = _same_width(header, rows, lines)
    header, rows = _named(header, rows)
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise ValueError(f"The columns {repeated} appear twice in the header; keep one of each.")
    return pd.DataFrame(rows, columns=header, dtype=object)


def decode(data: bytes) -> str:
    """Text in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        ValueError: it is in another encoding.
    """
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"The file is not in UTF-8: byte 0x{data[error.start]:02x} in line {line}. Save it as CSV UTF-8."
        ) from error


def _rows(text: str, delimiter: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and their line numbers; empty rows are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    rows, lines, empty = [], [], 0
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(reader.line_num)
            else:
                empty += bool(row)
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} of the table cannot be read: {error}. Check its quotes.") from error
    if empty:
        warnings.warn(f"{empty:,} rows without a value were left out.", UserWarning, stacklevel=4)
    return header, rows, lines


def _same_width(header: list[str], rows: list[list[str]], lines: Sequence[int]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of one width; a trailing delimiter is no column, and names of rows need no header."""
    while (
        len(header) > 1 and not header[-1] and not any(cell.strip() for row in rows for cell in row[len(header) - 1 :])
    ):
        header = header[:-1]
        rows = [row[: len(header)] for row in rows]
    width = len(header)
    if rows and all(len(row) == width + 1 for row in rows):
        if any(row[width].strip() for row in rows):
            return ["", *header], rows
        warnings.warn(
            "Every row has one field more than the header, and the last ones are empty: taken as trailing delimiters.",
            UserWarning,
            stacklevel=4,
        )
    for row, line in zip(rows, lines, strict=True):
        if len(row) < width or any(cell.strip() for cell in row[width:]):
            raise ValueError(
                f"Line {line} has {len(row)} fields and the header {width}; every row needs the same columns."
            )
    return header, [row[:width] for row in rows]


def _named(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """A first column without a name holds the items, or numbers the rows where another column holds the items."""
    if empty := [number for number, name in enumerate(header, 1) if not name and number > 1]:
        raise ValueError(f"Column {empty[0]} has no name, but values. Name it in the header or take it away.")
    if not header or header[0] not in UNNAMED:
        return header, rows
    if "item" in header:
        warnings.warn("The first column has no name: taken as row numbers and left out.", UserWarning, stacklevel=4)
        return header[1:], [row[1:] for row in rows]
    warnings.warn("The first column has no name: taken as the item.", UserWarning, stacklevel=4)
    return ["item", *header[1:]], rows
