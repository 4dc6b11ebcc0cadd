"""`report.html`: everything on one page that needs no other file and no network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from emohub.data.runs import write_file
from emohub.report.figure import Figure
from emohub.report.table import Table

if TYPE_CHECKING:
    from emohub.report.run import Report, Section

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a page.

    Attributes:
        title: Its heading.
        outputs: Its tables and figures.
    """

    title: str
    outputs: Sequence[Table | Figure]


def write_page(made: "Report", folder: Path) -> None:
    """Write the page; the pictures are there already."""
    several = len(made.studies) > 1

    def title(section: "Section") -> str:
        return section.item.title + (f" · {section.study.name}" if several else "")

    left_out = [f"{study.name}: {n:,} {what}" for study in made.studies for what, n in study.left_out.items()]
    text = render(
        "page.html.j2",
        folder / "figures",
        page="Report",
        title=" and ".join(dict.fromkeys(study.name for study in made.studies)),
        sections=[Part(title(section), section.outputs) for section in made.sections if section.outputs],
        missing=[f"{title(section)}: {section.gap}" for section in made.sections if section.gap] + left_out,
        studies=made.studies,
        settings=made.settings,
        versions=made.versions,
    )
    write_file(folder / PAGE, text)


def render(
    template: str,
    pictures: Path,
    *,
    page: str,
    title: str,
    sections: Sequence[Part],
    missing: Sequence[str] = (),
    templates: Sequence[Path] = (),
    **more: Any,
) -> str:
    """A page of tables and figures in the layout that all reports share.

    Args:
        template: Name of a template that extends `layout.html.j2`.
        pictures: Folder with the written figures.
        page: What kind of page it is.
        title: What it is about.
        sections: What it shows.
        missing: Lines about what is not there.
        templates: Folders to look for the template in, before this one.
        more: What the template needs beside.
    """
    pages = Environment(
        loader=FileSystemLoader([*templates, Path(__file__).parent]),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(template).render(
        page=page,
        title=title,
        sections=sections,
        missing=missing,
        is_figure=lambda output: isinstance(output, Figure),
        table=lambda output: Markup(output.html()),  # Table escapes every cell
        picture=lambda output, ending: _data(pictures / f"{output.id}{ending}"),
        width=lambda output: round(output.size[0] * 100),
        **more,
    )


def _data(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
