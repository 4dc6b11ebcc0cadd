"""The results of a run: a table to read, JSON for programs."""

import json
from collections import defaultdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emohub.check.base import Report, Result


def print_report(report: Report, console: Console) -> None:
    """A row per check, then every failure with its correction, then a summary."""
    by_check: dict[str, list[Result]] = defaultdict(list)
    for result in report.results:
        by_check[result.check.id].append(result)
    table = Table(title=Text(f"emohub check {report.what}"), title_justify="left")
    table.add_column("check", no_wrap=True)
    table.add_column("passes if")
    table.add_column("passed", justify="right", no_wrap=True)
    for id, results in by_check.items():
        passed = sum(not result.failures for result in results)
        style = "green" if passed == len(results) else "bold red"
        mark = "✓" if passed == len(results) else "✗"
        table.add_row(id, results[0].check.what, Text(f"{mark} {passed}/{len(results)}", style))
    console.print(table)
    for result in report.results:
        for failure in result.failures:
            console.print(Text(f"\n✗ {result.check.id}  {failure.where}", "bold red"))
            console.print(Text(f"  {failure.found}"))
            console.print(Text(f"  → {failure.do}", "cyan"))
    for result in report.results:
        for one in result.left_out:
            console.print(Text(f"\n· {result.check.id}  {one.where}\n  {one.why}"))
    console.print(Text(f"\n{summary(report)}", "bold"))


def summary(report: Report) -> str:
    """Numbers of checks and failures, and the checks that were left out."""
    failed = sum(bool(result.failures) for result in report.results)
    repos = len({result.path for result in report.results if result.path})
    text = f"{len(report.results)} checks of {repos} repos: " + (f"{failed} failed" if failed else "all passed")
    if report.left_out:
        text += f"\nLeft out by --fast, as they start processes: {', '.join(report.left_out)}"
    return text


def as_json(report: Report) -> str:
    """The results as JSON."""
    checks = [
        {
            "id": result.check.id,
            "kind": result.kind,
            "repo": result.path,
            "what": result.check.what,
            "passed": not result.failures,
            "failures": [{"where": one.where, "found": one.found, "do": one.do} for one in result.failures],
            "left_out": [{"where": one.where, "why": one.why} for one in result.left_out],
        }
        for result in report.results
    ]
    record = {"checked": report.what, "ok": report.ok, "left_out": list(report.left_out), "checks": checks}
    return json.dumps(record, indent=2, ensure_ascii=False)
