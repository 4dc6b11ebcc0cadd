"""Plan, push and verify against the local Hub: what is uploaded, in which order, and what is not touched."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub.errors import HfHubHTTPError

from emohub.errors import PublishError, message_for
from emohub.publish.publish import Plan
from tests.faults import tiny
from tests.faults.invariants import Expected, differences, violations
from tests.faults.scenario import Sandbox
from tests.faults.tiny import ORG
from tests.hub_server import Fault, Hub
from tests.publish.conftest import Publish
from tests.publish.publish.inputs import AGREE, FACES, NET, PAGE, Sent

START = "<!-- emohub:notes:start -->\n"


def second(release: Path) -> Path:
    """The next version, in the same folder."""
    shutil.rmtree(release)
    return tiny.write_tiny(release, "0.2.0")


def is_complete(hub: Hub, release: Path, tag: str) -> bool:
    return not differences(hub, Expected({tag: tiny.files_of(release)}), tag)


def text(hub: Hub, key: str, path: str = "README.md") -> str:
    return hub.repos[key].head.files[path].data.decode()


def test_a_plan_sends_nothing(
    look: Callable[..., Plan], hub: Hub, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    plan = look()
    assert [one.target.id for one in plan.repos] == [f"{ORG}/{name}" for name in ("faces", "agree", "net", "page")]
    assert {one.action for one in plan.repos} == {"create"}
    assert plan.repos[0].size == sum(len(data) for data in tiny.files_of(plan.release.folder)[FACES].values())
    assert plan.collection is not None and len(plan.collection.add) == 4
    assert sent() == [] and not hub.repos


def test_uploads_are_in_order_and_gated_first(run: Publish, hub: Hub, release: Path, sent: Sent) -> None:
    report, _ = run()
    assert report.ok and is_complete(hub, release, "v0.1.0")
    paths = [path for _, path, _ in sent() if re.search("/(commit|items|tag)", path)]
    order = [
        re.sub("^.*/(faces|agree|net|page|tag|items).*$", r"\1", re.sub("/tag/.*", "/tag", path)) for path in paths
    ]
    assert order == ["faces", "tag", "agree", "tag", "net", "tag", "page", "tag"] + ["items"] * 4
    assert [hub.repos[key].open_to for key in (FACES, AGREE, NET, PAGE)] == ["gated", "all", "all", "members"]
    assert violations(hub, Expected({"v0.1.0": tiny.files_of(release)})) == []
    assert [len(repo.history()) for repo in hub.repos.values()] == [2] * 4  # the Hub's commit, and ours


def test_a_second_publish_sends_nothing(run: Publish, hub: Hub, sent: Sent) -> None:
    run()
    heads = {key: repo.head.sha for key, repo in hub.repos.items()}
    sent()
    report, plan = run()
    assert report.ok and plan.up_to_date and sent() == []
    assert heads == {key: repo.head.sha for key, repo in hub.repos.items()}


def test_only_what_differs_is_sent(run: Publish, hub: Hub, release: Path, sent: Sent) -> None:
    run()
    sent()
    report, plan = run(second(release))
    (faces, *_) = plan.repos
    assert faces.action == "update" and [file.path for file in faces.add] == ["new.txt"]
    assert {file.path for file in faces.change} == {"README.md", "sub/data.txt", "hq/test-00001.parquet"}
    assert faces.remove == ["old.txt"] and faces.kept == []
    assert report.ok and is_complete(hub, release, "v0.2.0")
    assert len([line for line in sent() if line[1].startswith("/lfs/") and line[0] == "PUT"]) == 2  # faces, net
    old, new = (hub.repos[FACES].refs[f"refs/tags/{tag}"] for tag in ("v0.1.0", "v0.2.0"))
    assert old != new and new == hub.repos[FACES].head.sha


def test_another_machine_without_the_journal(run: Publish, hub: Hub, release: Path, tmp_path: Path) -> None:
    run()
    hub.push(FACES, {"by-hand.txt": b"mine"}, "somebody")
    (release.parent / ".release.publish.json").unlink()
    elsewhere = tiny.write_tiny(tmp_path / "elsewhere" / "release", "0.2.0")
    report, plan = run(elsewhere)
    assert report.ok and plan.repos[0].remove == ["old.txt"] and plan.repos[0].kept == ["by-hand.txt"]
    assert text(hub, FACES, "by-hand.txt") == "mine"


def test_a_foreign_file_in_a_tagged_version_stays_foreign(run: Publish, hub: Hub, release: Path) -> None:
    hub.create("datasets", f"{ORG}/faces")
    hub.push(FACES, {"by-hand.txt": b"mine"}, "somebody", "initial commit")  # a title that people use, too
    run()
    (release.parent / ".release.publish.json").unlink()
    report, plan = run(second(release))
    assert report.ok and plan.repos[0].kept == ["by-hand.txt"] and "by-hand.txt" in hub.repos[FACES].head.files


@pytest.mark.parametrize("journal", [True, False])
def test_notes_on_the_hub_stay(journal: bool, run: Publish, hub: Hub, release: Path) -> None:
    run()
    noted = text(hub, FACES).replace(START, f"{START}By hand.\n")
    hub.push(FACES, {"README.md": noted.encode()}, "somebody")
    if not journal:
        (release.parent / ".release.publish.json").unlink()
    report, plan = run()
    assert report.ok and plan.up_to_date  # the same version: nothing to do
    report, plan = run(second(release))
    assert report.ok and "version 0.2.0" in text(hub, FACES) and "By hand." in text(hub, FACES)
    assert plan.repos[0].remarks == ["the notes in the card on the Hub are kept"]
    assert run()[1].up_to_date


def test_a_card_edited_elsewhere_stops_the_publish(run: Publish, hub: Hub, release: Path, sent: Sent) -> None:
    run()
    hub.push(FACES, {"README.md": text(hub, FACES).replace("Used with", "Replaces").encode()}, "somebody")
    sent()
    with pytest.raises(PublishError) as stopped:
        run(second(release))
    message = str(stopped.value)
    assert f"{ORG}/faces: README.md was added or changed on the Hub by somebody else" in message
    assert "-Replaces" in message and "+Used with" in message
    assert "--create-pr" in message and "--overwrite" in message and "note marks" in message
    assert sent() == [] and "refs/tags/v0.2.0" not in hub.repos[NET].refs  # nor anything of the other repos
    theirs = hub.repos[FACES].head.sha
    assert run(overwrite=True)[0].ok and is_complete(hub, release, "v0.2.0")
    assert hub.repos[FACES].head.parent == theirs


@pytest.mark.parametrize(
    ("path", "old", "problem"),
    [
        ("sub/data.txt", True, "sub/data.txt was added or changed on the Hub by somebody else"),
        ("new.txt", True, "new.txt was added or changed on the Hub by somebody else"),
        ("old.txt", True, "old.txt is not in this version, but was changed on the Hub by somebody else"),
        ("keep.json", False, "keep.json was added or changed on the Hub by somebody else"),
    ],
)
def test_remote_changes_are_not_overwritten(
    path: str, old: bool, problem: str, run: Publish, hub: Hub, release: Path
) -> None:
    if old:
        run()
        second(release)
    else:
        hub.create("datasets", f"{ORG}/faces")
    hub.push(FACES, {path: b"mine"}, "somebody")
    with pytest.raises(PublishError, match=re.escape(problem)):
        run()
    assert text(hub, FACES, path) == "mine"


def test_a_commit_that_lands_in_between(run: Publish, hub: Hub, release: Path, sandbox: Sandbox) -> None:
    """Between the plan and the commit: what does not touch ours is kept, and both are there."""
    run()
    second(release)
    for at in range(10, 30, 3):
        sandbox.faults.fault = Fault(
            "call", at, call=lambda at=at: hub.push(FACES, {f"{at}.txt": b"mine"}, "somebody")
        )
        sandbox.faults.happened = sandbox.faults.count = 0
        assert run()[0].ok
        assert text(hub, FACES, f"{at}.txt") == "mine"
    assert "version 0.2.0" in text(hub, FACES)


def test_a_tag_never_moves(run: Publish, hub: Hub, release: Path) -> None:
    run()
    (release / "datasets/faces/keep.json").write_text("{}")
    with pytest.raises(PublishError, match=r"v0\.1\.0 exists on the Hub with different files \(keep.json\).*Raise"):
        run()
    hub.repos[FACES].refs.pop("refs/tags/v0.1.0")
    assert run()[0].ok and hub.repos[FACES].refs["refs/tags/v0.1.0"] == hub.repos[FACES].head.sha


def test_stricter_access_on_the_hub_is_kept(run: Publish, hub: Hub) -> None:
    run()
    hub.repos[NET].gated, hub.repos[AGREE].private = "manual", True
    report, plan = run()
    assert report.ok and hub.repos[NET].gated == "manual" and hub.repos[AGREE].private
    assert "stays gated" in str(plan.repos[2].remarks) and "stays private" in str(plan.repos[1].remarks)
    assert {check.id: check.user for check in report.checks if "files" in check.what} == {
        f"{ORG}/faces": "publisher", f"{ORG}/agree": "publisher",
        f"{ORG}/net": "publisher", f"{ORG}/page": "publisher",
    }  # fmt: skip


def test_a_gate_that_somebody_removed_is_restored_first(run: Publish, hub: Hub, release: Path) -> None:
    run()
    hub.repos[FACES].gated = False
    report, plan = run(second(release))
    assert plan.repos[0].settings == {"gated": "auto"} and report.ok
    assert hub.repos[FACES].head.open_to == "gated"


def test_many_files_are_committed_in_parts_and_the_card_last(run: Publish, hub: Hub, release: Path) -> None:
    run(files_per_commit=2)
    commits = hub.repos[FACES].history()[::-1]
    assert ["README.md" in commit.files for commit in commits] == [False, False, False, True]
    assert is_complete(hub, release, "v0.1.0")
    run(second(release), files_per_commit=2)
    first, last = hub.repos[FACES].history()[1::-1]
    assert "Upload in progress" in first.files["README.md"].data.decode()
    assert "extra_gated_prompt: Be kind" in first.files["README.md"].data.decode()
    assert "old.txt" in first.files and "old.txt" not in last.files
    assert is_complete(hub, release, "v0.2.0")


def test_what_was_uploaded_is_not_sent_again(
    run: Publish, hub: Hub, sandbox: Sandbox, release: Path, tmp_path: Path
) -> None:
    """The commit does not come through; the rerun finds the large files in the Hub's storage."""
    run()
    paths = [path for _, path, _ in sandbox.faults.log]
    first = next(number for number, path in enumerate(paths, 1) if "/commit/" in path)
    sandbox.begin(tmp_path / "again", older=False, per_commit=500)
    (release.parent / ".release.publish.json").unlink()
    sandbox.faults.arm(Fault("no_space", first))
    with pytest.raises(HfHubHTTPError) as refused:
        run()
    assert "The Hub answered 507 to POST" in str(message_for(refused.value))
    assert "no room left" in str(message_for(refused.value)) and len([*hub.objects.iterdir()]) == 3
    sandbox.faults.arm(None)
    assert run()[0].ok and is_complete(hub, release, "v0.1.0")
    assert len([line for line in sandbox.faults.log if line[0] == "PUT" and "/lfs/" in line[1]]) == 3  # of the model


def test_pull_requests(run: Publish, hub: Hub, release: Path, sandbox: Sandbox) -> None:
    run()
    hub.push(FACES, {"README.md": b"# Another card\n"}, "somebody")
    heads = {key: repo.head.sha for key, repo in hub.repos.items()}
    report, _ = run(second(release), create_pr=True)
    assert report.ok and {pushed.revision for pushed in report.pushed} == {"refs/pr/1"}
    assert report.pushed[0].url == f"{sandbox.url}/datasets/{ORG}/faces/discussions/1"
    assert heads == {key: repo.head.sha for key, repo in hub.repos.items()}
    assert [one["status"] for one in hub.repos[FACES].discussions] == ["open"]
    again, _ = run(create_pr=True)
    assert again.ok and all(len(repo.discussions) == 1 for repo in hub.repos.values())
    assert [pushed.commits for pushed in again.pushed] == [0] * 4
    for repo in hub.repos.values():  # somebody merges
        repo.commit(repo.commits[repo.refs["refs/pr/1"]].files, "Release v0.2.0 (#1)", "somebody")
        repo.discussions[0]["status"] = "merged"
    report, plan = run()
    assert report.ok and not any(one.changes for one in plan.repos) and is_complete(hub, release, "v0.2.0")


def test_ids_follow_the_namespace(run: Publish, hub: Hub, release: Path) -> None:
    hub.members["other-org"] = {"owner"}
    (release / "models/net/links.txt").write_text(
        f"https://huggingface.co/datasets/{ORG}/faces.\n"
        f"{ORG}/faces-other x{ORG}/net {ORG}/net.v2 {ORG}/nets ({ORG}/net)"
    )
    assert run(namespace="other-org")[0].ok
    assert {*hub.repos} == {key.replace(ORG, "other-org") for key in (FACES, NET, AGREE, PAGE)}
    assert text(hub, "models/other-org/net", "links.txt") == (
        "https://huggingface.co/datasets/other-org/faces.\n"
        f"{ORG}/faces-other x{ORG}/net {ORG}/net.v2 {ORG}/nets (other-org/net)"
    )
    assert "Used with other-org/faces and other-org/net" in text(hub, "datasets/other-org/faces")
    assert (release / "models/net/README.md").read_text().count("other-org") == 0
    assert run(namespace="other-org")[1].up_to_date
