"""The command `emohub publish`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from emohub.commands._output import note, print_json

Depth = Literal["none", "files", "bytes", "load", "full"]


def publish(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="Folder of a built release.", show_default=False)],
    namespace: Annotated[
        str | None, typer.Option(help="User or organisation on the Hub.  [default: the release's own]")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, only the plan is shown.")] = False,
    create_pr: Annotated[
        bool, typer.Option("--create-pr", help="Into pull requests, where the repo is there already.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that other people changed on the Hub; git keeps theirs.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="First look for what must not be pushed, as `check --fast`.")
    ] = True,
    verify: Annotated[
        Depth,
        typer.Option(help="Afterwards: digests of all files; files and every byte; files and load every repo; all."),
    ] = "load",
    as_json: Annotated[bool, typer.Option("--json", help="Plan and report as JSON.")] = False,
) -> None:
    """A built release → the Hub: plan, push, verify. Stopped at any moment, the same command goes on.

    The token is huggingface_hub's: `hf auth login`, or HF_TOKEN. Datasets go first, then metrics, models, Spaces, the
    collection; each repo in one commit, tagged with the version. What other people wrote on the Hub is never replaced
    unasked. EMOHUB_HUB_TRIES, EMOHUB_HUB_WAIT and EMOHUB_HUB_TIMEOUT (seconds) say how patient to be.
    """
    from emohub.publish.publish import Options, Plan, plan_publish
    from emohub.publish.publish import publish as run
    from emohub.publish.push import refuse
    from emohub.publish.show import plan_record, report_record, show_plan, show_report

    options = Options(namespace, create_pr, overwrite, check, verify)
    record: dict[str, object] = {}

    def show(plan: Plan) -> None:
        record["plan"] = plan_record(plan)
        if not as_json:
            show_plan(plan)

    def end() -> None:
        if as_json:
            print_json(record)

    if not yes:
        plan = plan_publish(release, options)
        show(plan)
        end()
        refuse(plan.repos)
        note("This was the plan; --yes carries it out.")
        return
    try:
        report = run(release, options, show, note)
        record["report"] = report_record(report)
    finally:
        end()
    if not as_json:
        show_report(report)
    if not report.ok:
        note("emohub: the Hub does not give what the release holds: see FAILED above.")
        raise typer.Exit(1)
