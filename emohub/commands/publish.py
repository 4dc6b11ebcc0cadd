"""The command `emohub publish`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from emohub.commands._output import note, print_json

Depth = Literal["none", "files", "bytes", "load", "full"]


def publish(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="Folder of a built release.", show_default=False)],
    namespace: Annotated[
        str | None, typer.Option(help="User or organisation on the Hub.  [default: that of the release]")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Publish. Without it, only the plan is shown.")] = False,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open pull requests for repos that exist.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace remote changes; they stay in the git history.")
    ] = False,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Run `emohub check --fast` first.")] = True,
    verify: Annotated[
        Depth,
        typer.Option(
            help="Verify: compare digests (files), download (bytes), load repos and call Spaces (load), all (full)."
        ),
    ] = "load",
    as_json: Annotated[bool, typer.Option("--json", help="Plan and report as JSON.")] = False,
) -> None:
    """Publish a built release to the Hub: plan, push, verify. If interrupted, run the same command to resume.

    The token is huggingface_hub's: `hf auth login`, or HF_TOKEN. The order is datasets, metrics, models, Spaces,
    collection; each repo gets one commit, tagged with the version. Remote changes are replaced only with --overwrite.
    A commit is compared with the release before it is tagged. EMOHUB_HUB_TRIES, EMOHUB_HUB_WAIT and EMOHUB_HUB_TIMEOUT
    (seconds) control retries, EMOHUB_SPACE_TIMEOUT (seconds) how long a Space may take to start.
    """
    from emohub.publish.publish import Options, Plan, plan_publish
    from emohub.publish.publish import publish as run
    from emohub.publish.push import raise_conflicts
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
        raise_conflicts(plan.repos)
        note("This is the plan; add --yes to publish.")
        return
    try:
        report = run(release, options, show, note)
        record["report"] = report_record(report)
    finally:
        end()
    if not as_json:
        show_report(report)
    if not report.ok:
        note("emohub: the verification failed: see FAILED above.")
        raise typer.Exit(1)
