"""A study from the command line: `python admin.py new|export|status|import|link|delete …`.

Results are JSON on stdout; what is wrong goes to stderr. `emohub study` calls this, and it works on a Space as well.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from export import from_label_studio, from_ratings, write_export
from ledger import Refused
from making import make_study
from operation import open_service
from overview import overview
from state import ANNOTATOR, OWNER
from study import StudyError


def new(args: argparse.Namespace) -> dict[str, Any]:
    """Write study.toml and its items."""
    rules = json.loads(args.rules.read_text(encoding="utf-8"))
    return make_study(args.rows, rules, args.study)


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Write the tables of a study."""
    service = open_service(args.study, mirrored=False)
    return write_export(service.study, service.snapshot().answers, args.out)


def status(args: argparse.Namespace) -> dict[str, Any]:
    """What the owner's page shows."""
    service = open_service(args.study, mirrored=False)
    return overview(service.study, service.snapshot(), service.store.everybody())


def import_(args: argparse.Namespace) -> dict[str, Any]:
    """Take answers from elsewhere in: all of a file, or none."""
    service = open_service(args.study, mirrored=False)
    if args.file.suffix == ".json":
        given = list(from_label_studio(service.study, json.loads(args.file.read_text(encoding="utf-8"))))
    else:
        given = list(from_ratings(service.study, pd.read_parquet(args.file)))
    added = service.add(given)
    return {"answers": len(given), "new": added, "annotators": len({one.annotator for one in given})}


def link(args: argparse.Namespace) -> dict[str, Any]:
    """A token for a new annotator, or the owner."""
    service = open_service(args.study, mirrored=False)
    return {"token": service.add_link(OWNER if args.owner else ANNOTATOR)}


def delete(args: argparse.Namespace) -> dict[str, Any]:
    """Delete the data of an annotator."""
    return {"answers": open_service(args.study, mirrored=False).delete(args.annotator)}


ARGUMENTS: dict[str, tuple[Callable[[argparse.Namespace], dict[str, Any]], tuple[str, ...]]] = {
    "new": (new, ("rows", "rules")),
    "export": (export, ("out",)),
    "status": (status, ()),
    "import": (import_, ("file",)),
    "link": (link, ()),
    "delete": (delete, ("annotator",)),
}


def main() -> None:
    """Parse, do, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, (run, arguments) in ARGUMENTS.items():
        command = commands.add_parser(name, help=run.__doc__)
        command.add_argument("study", type=Path)
        for argument in arguments:
            command.add_argument(argument, type=str if argument == "annotator" else Path)
        if name == "link":
            command.add_argument("--owner", action="store_true")
        command.set_defaults(run=run)
    args = parser.parse_args()
    try:
        print(json.dumps(args.run(args), ensure_ascii=False))
    except (StudyError, Refused, ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
