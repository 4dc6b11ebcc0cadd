"""`report.html`: everything on one page that needs no other file and no network."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from emohub.data.runs import write_file
from emohub.report.figure import Figure

if TYPE_CHECKING:
    from emohub.report.run import Report

PAGE = "report.html"


def write_page(made: "Report", folder: Path) -> None:
    """Write the page; the pictures are there already."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [section for section in made.sections if section.outputs]
    text = pages.get_template("page.html.j2").render(
        title=" and ".join(dict.fromkeys(study.name for study in made.studies)),
        studies=made.studies,
        several=len(made.studies) > 1,
        sections=sections,
        gaps=[section for section in made.sections if section.gap],
        left_out=[(study.name, *one) for study in made.studies for one in study.left_out.items()],
        settings=made.settings,
        versions=made.versions,
        is_figure=lambda output: isinstance(output, Figure),
        table=lambda output: Markup(output.html()),  # Table escapes every cell
        picture=lambda output, ending: _data(folder / "figures" / f"{output.id}{ending}"),
        width=lambda output: round(output.size[0] * 100),
    )
    write_file(folder / PAGE, text)


def _data(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
