"""The one kind of table, and its four forms: CSV, Markdown, LaTeX and HTML."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from .cells import Drawn, Shown  # relative: the leaderboard Space ships these files
from .record import Record

Cell = str | int | float | Record | Shown | Drawn | None
NOTHING = "–"
_TEX = str.maketrans(
    {
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        "−": "$-$",
        "κ": r"$\kappa$",
        "α": r"$\alpha$",
        "ρ": r"$\rho$",
        "σ": r"$\sigma$",
        "²": r"$^2$",
        "<": r"$<$",
        ">": r"$>$",
        "±": r"$\pm$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "→": r"$\rightarrow$",
        "×": r"$\times$",
        "Δ": r"$\Delta$",
        "½": r"$\frac{1}{2}$",
    }
)
_MARKDOWN = str.maketrans({"|": r"\|", "\n": " ", "<": "&lt;", "*": r"\*", "_": r"\_", "`": r"\`", "[": r"\["})


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings.

    Attributes:
        id: Stem of its files.
        title: What it shows.
        columns: Headings.
        rows: One cell for each heading: text, a number, a record, or None for "there is none".
        note: What has to be known to read it: definitions, what was left out and counted.
        digits: Decimals of numbers that are not whole.
        shown: How many rows the page and the paper show at first; 0: all. The CSV has all.
        records: Records that are in no cell but belong to it.
        attributes: Of each row in HTML, by their names; none: rows have none.
    """

    id: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    digits: int = 3
    shown: int = 0
    records: Sequence[Record] = ()
    attributes: Sequence[Mapping[str, str]] = ()

    def __post_init__(self) -> None:
        if wrong := [row for row in self.rows if len(row) != len(self.columns)]:
            raise ValueError(f"{self.id}: a row of {len(wrong[0])} cells under {len(self.columns)} headings")
        if not all(self.columns):
            raise ValueError(f"{self.id}: a heading is empty")

    def all_records(self) -> Iterator[Record]:
        """The records of its cells, row by row, and the others."""
        for row in self.rows:
            yield from (cell for cell in row if isinstance(cell, Record))
        yield from self.records

    def text(self, cell: Cell) -> str:
        """A cell as people read it."""
        if isinstance(cell, Drawn):
            return ""
        if isinstance(cell, Shown):
            return cell.text
        if isinstance(cell, Record):
            value = self.text(cell.value)
            return f"{value} [{', '.join(map(self.text, cell.interval))}]" if cell.interval else value
        if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
            return NOTHING
        if isinstance(cell, float):
            return f"{round(cell, self.digits) + 0.0:.{self.digits}f}".replace("-", "−")  # + 0: no −0.00
        return f"{cell:,}" if isinstance(cell, int) else cell

    def shows(self, at: int, cell: Cell) -> str:
        """A cell of a column as people read it; a p-value that would round to 0 stands as less than the last digit."""
        if str(self.columns[at]).startswith("p") and isinstance(cell, float) and 0 <= cell < 0.5 * 10**-self.digits:
            return f"< {10**-self.digits:.{self.digits}f}"
        return self.text(cell)

    def reasons(self) -> list[str]:
        """Why cells have no interval, each reason once, in the order of the cells."""
        cells = (cell for row in self.rows for cell in row if isinstance(cell, Record))
        return list(dict.fromkeys(cell.no_interval for cell in cells if cell.no_interval))

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers, which stand at the right."""
        return any(isinstance(row[column], int | float | Record | Shown) for row in self.rows)

    def csv(self) -> str:
        """Every row; of a record the value, and in columns of their own its interval, n and why it has no interval."""
        wide = [any(isinstance(row[at], Record) for row in self.rows) for at in range(len(self.columns))]
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\n")
        write.writerow(
            [
                name
                for at, column in enumerate(self.columns)
                for name in ([column, *(f"{column}: {more}" for more in _MORE)] if wide[at] else [column])
            ]
        )
        for row in self.rows:
            write.writerow([one for at, cell in enumerate(row) for one in _plain(cell, wide[at])])
        return out.getvalue()

    def markdown(self) -> str:
        """A table of GitHub's Markdown under its title, all rows."""
        lines = [
            [str(name).translate(_MARKDOWN) for name in self.columns],
            ["---:" if self.is_number(at) else "---" for at in range(len(self.columns))],
            *([self.shows(at, cell).translate(_MARKDOWN) for at, cell in enumerate(row)] for row in self.rows),
        ]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"**{self.title}**\n\n{table}\n" + (f"\n{self.note}\n" if self.note else "")

    def latex(self) -> str:
        r"""A `table` of booktabs, at most `shown` rows; one that is wider than the line is scaled down."""
        form = "".join("r" if self.is_number(at) else "l" for at in range(len(self.columns)))
        rows = [" & ".join(tex(self.shows(at, cell)) for at, cell in enumerate(row)) + r" \\" for row in self._first()]
        more = len(self.rows) - len(rows)
        note = self.note + (f" {more} further rows are in {self.id}.csv." if more else "")
        return "\n".join(
            [
                r"\begin{table}[t]",
                r"\centering\small",
                rf"\caption{{{tex(self.title)}. {tex(note)}}}",
                rf"\label{{tab:{self.id}}}",
                r"\begin{adjustbox}{max width=\linewidth}",
                rf"\begin{{tabular}}{{{form}}}",
                r"\toprule",
                " & ".join(tex(str(name)) for name in self.columns) + r" \\",
                r"\midrule",
                *rows,
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{adjustbox}",
                r"\end{table}",
                "",
            ]
        )

    def html(self) -> str:
        """A `<table>` whose headings are buttons that sort; the rows after `shown` are marked as more.

        A cell without an interval bears the number of its reason among `reasons()`.
        """
        marks = {reason: f"<sup>{number}</sup>" for number, reason in enumerate(self.reasons(), 1)}
        head = "".join(
            f'<th scope="col"{_number(self.is_number(at))}><button type="button">{escape(str(name))}</button></th>'
            for at, name in enumerate(self.columns)
        )
        body = []
        for number, row in enumerate(self.rows):
            own = dict(self.attributes[number]) if self.attributes else {}
            if self.shown and number >= self.shown:
                own["class"] = f"{own.get('class', '')} more".strip()
            named = "".join(f' {name}="{escape(value)}"' for name, value in own.items())
            cells = "".join(self._html_cell(at, cell, marks) for at, cell in enumerate(row))
            body.append(f"<tr{named}>{cells}</tr>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"

    def _html_cell(self, at: int, cell: Cell, marks: Mapping[str, str]) -> str:
        if isinstance(cell, Drawn):
            return f'<td class="drawn" data-key="{cell.record.value!r}">{cell.svg(self.text(cell.record))}</td>'
        number = cell.value if isinstance(cell, Record) else cell.key if isinstance(cell, Shown) else cell
        key = f' data-key="{number!r}"' if isinstance(number, int | float) and math.isfinite(number) else ""
        mark = marks.get(cell.no_interval, "") if isinstance(cell, Record) else ""
        tag, scope = ("th", ' scope="row"') if at == 0 else ("td", "")
        return f"<{tag}{scope}{_number(self.is_number(at))}{key}>{escape(self.shows(at, cell))}{mark}</{tag}>"

    def _first(self) -> Sequence[Sequence[Cell]]:
        return self.rows[: self.shown] if self.shown else self.rows


_MORE = ("low", "high", "n", "no interval")


def _plain(cell: Cell, wide: bool) -> list[object]:
    if isinstance(cell, Shown):
        cell = cell.text
    if isinstance(cell, Record):
        low, high = cell.interval or (None, None)
        return [_bare(cell.value), _bare(low), _bare(high), cell.n, cell.no_interval]
    return [_bare(cell), *([None] * len(_MORE) if wide else ())]


def _bare(cell: object) -> object:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def tex(text: str) -> str:
    r"""A text for LaTeX; what its letters mean there is escaped.

    >>> tex("Jealousy & Envy: 50 %")
    'Jealousy \\& Envy: 50 \\%'
    """
    return text.translate(_TEX)
