"""Plans and reports: human-readable and as JSON."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from emohub.publish import card_merge
from emohub.publish.files import CARD
from emohub.publish.plan import RepoPlan
from emohub.publish.publish import Plan, Report

SHOWN = 10


def _console() -> Console:
    return Console(soft_wrap=True, markup=False, emoji=False, highlight=False)  # paths may look like markup


def plan_record(plan: Plan) -> dict[str, Any]:
    """The plan, ready for JSON."""
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
        "gate_prompts": card_merge.gate_prompts(one.target.files[CARD].text) if repo.gated else [],
        "settings": one.settings,
        "secret": one.secret,
        "tag": one.target.tag if one.tag_missing else None,
        "problems": one.problems,
        "remarks": one.remarks,
    }


def show_plan(plan: Plan) -> None:
    """Print the plan: a table of repos, then their files and remarks."""
    console = _console()
    title = f"{plan.release.title}, version {plan.release.version}, to {plan.namespace}"
    table = Table("repo", "plan", "files", "MB", "visibility", title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    table.columns[3].justify = "right"
    for one in plan.repos:
        repo = one.target.repo
        visibility = "members" if repo.private else f"gated: {repo.gated}" if repo.gated else "public"
        counts = {"+": len(one.add), "~": len(one.change), "−": len(one.remove)}
        files = " ".join(f"{sign}{count}" for sign, count in counts.items() if count)
        table.add_row(repo.path, one.action, files, f"{one.size / 1e6:,.1f}", visibility)
    if plan.collection is not None:
        added = f"+{len(plan.collection.add)} repos" if plan.collection.add else ""
        table.add_row("collection", plan.collection.action, added, "", "public")
    console.print(table)
    console.print("files: + added, ~ changed, − removed; MB: to upload\n")
    for one in plan.repos:
        for line in _lines(one):
            console.print(line)


def _lines(one: RepoPlan) -> list[str]:
    record = _repo_record(one)
    lines = []
    for word in ("added", "changed", "removed", "kept"):
        paths = record[word]
        more = f" … and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        label = "kept (added on the Hub)" if word == "kept" else word
        lines += [f"  {label}: {', '.join(paths[:SHOWN])}{more}"] if paths else []
    lines += [f"  setting: {name} = {value}" for name, value in one.settings.items()]
    lines += [f"  secret: {one.secret}, from the environment variable of this name"] if one.secret else []
    lines += [f"  gate: {text}" for text in record["gate_prompts"]]
    lines += [f"  tag: {one.target.tag}"] if one.tag_missing else []
    lines += [f"  note: {text}" for text in one.remarks]
    lines += [f"  CONFLICT: {text}" for text in one.problems]
    return [one.target.id, *lines] if lines else []


def report_record(report: Report) -> dict[str, Any]:
    """The report, ready for JSON."""
    return {"ok": report.ok, **asdict(report)}


def show_report(report: Report) -> None:
    """Print the verification results by repo, and which user read it."""
    console = _console()
    for id in dict.fromkeys(check.id for check in report.checks):
        console.print(id)
        for check in (check for check in report.checks if check.id == id):
            console.print(f"  {'ok    ' if check.ok else 'FAILED'} {check.what} ({check.user}): {check.detail}")
    failed = sum(not check.ok for check in report.checks)
    result = f"{failed} failed" if failed else "all passed"
    console.print(f"{len(report.checks)} verifications: {result}" if report.checks else "Nothing was verified.")
