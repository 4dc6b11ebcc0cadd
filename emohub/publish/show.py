"""Plans and reports for eyes and for programs."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from emohub.publish import cards
from emohub.publish.files import CARD
from emohub.publish.plan import RepoPlan
from emohub.publish.publish import Plan, Report

SHOWN = 10


def _console() -> Console:
    return Console(soft_wrap=True, markup=False, emoji=False, highlight=False)  # a path is not markup


def plan_record(plan: Plan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "namespace": plan.namespace,
        "version": plan.release.version,
        "repos": [_repo_record(one) for one in plan.repos],
        "collection": asdict(plan.collection) | {"action": plan.collection.action} if plan.collection else None,
    }


def _repo_record(one: RepoPlan) -> dict[str, Any]:
    repo = one.target.repo
    return {
        "id": one.target.id,
        "kind": repo.kind,
        "action": one.action,
        "added": [file.path for file in one.add],
        "changed": [file.path for file in one.change],
        "removed": one.remove,
        "kept": one.kept,
        "bytes": one.size,
        "private": repo.private,
        "gated": repo.gated,
        "asked": cards.asked(one.target.files[CARD].content.decode()) if repo.gated else [],
        "settings": one.settings,
        "tag": one.target.tag if one.tag_missing else None,
        "problems": one.problems,
        "remarks": one.remarks,
    }


def show_plan(plan: Plan) -> None:
    """Print the plan as a table, and below it every file and remark."""
    console = _console()
    title = f"{plan.release.title}, version {plan.release.version}, to {plan.namespace}"
    table = Table("repo", "plan", "files", "MB", "who sees it", title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    table.columns[3].justify = "right"
    for one in plan.repos:
        repo = one.target.repo
        seen = "members" if repo.private else f"gated: {repo.gated}" if repo.gated else "everybody"
        counts = {"+": len(one.add), "~": len(one.change), "−": len(one.remove)}
        files = " ".join(f"{sign}{count}" for sign, count in counts.items() if count)
        table.add_row(repo.path, one.action, files, f"{one.size / 1e6:,.1f}", seen)
    if plan.collection is not None:
        made = plan.collection
        table.add_row("collection", made.action, f"+{len(made.add)} repos" if made.add else "", "", "everybody")
    console.print(table)
    console.print("files: + to add, ~ to change, − to remove; MB: to send\n")
    for one in plan.repos:
        for line in _lines(one):
            console.print(line)


def _lines(one: RepoPlan) -> list[str]:
    record = _repo_record(one)
    lines = []
    for word in ("added", "changed", "removed", "kept"):
        paths = record[word]
        more = f" … and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        said = f"{word} (other people's)" if word == "kept" else word
        lines += [f"  {said}: {', '.join(paths[:SHOWN])}{more}"] if paths else []
    lines += [f"  setting: {name} = {value}" for name, value in one.settings.items()]
    lines += [f"  a reader is asked: {text}" for text in record["asked"]]
    lines += [f"  tag: {one.target.tag}"] if one.tag_missing else []
    lines += [f"  note: {text}" for text in one.remarks]
    lines += [f"  IN THE WAY: {text}" for text in one.problems]
    return [one.target.id, *lines] if lines else []


def report_record(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {"ok": report.ok, **asdict(report)}


def show_report(report: Report) -> None:
    """Print what was verified, as whom, repo by repo."""
    console = _console()
    for id in dict.fromkeys(check.id for check in report.checks):
        console.print(id)
        for check in (check for check in report.checks if check.id == id):
            console.print(f"  {'ok    ' if check.ok else 'FAILED'} {check.what}, as {check.who}: {check.said}")
    failed = sum(not check.ok for check in report.checks)
    seen = f"{len(report.checks)} looks at the Hub: {f'{failed} failed' if failed else 'all as in the release'}"
    console.print(seen if report.checks else "Nothing was verified.")
