"""When nothing is sent, and what the verification finds."""

import json
from pathlib import Path

import pytest
from huggingface_hub.errors import HfHubHTTPError

from emohub.errors import BuildError, PublishError, message_for
from emohub.publish.journal import opened
from emohub.publish.publish import targets_of
from emohub.publish.verify import Verifier
from emohub.release.record import open_release
from tests.faults import tiny
from tests.faults.scenario import Sandbox
from tests.faults.tiny import ORG
from tests.hub_server import Hub
from tests.publish.conftest import Publish
from tests.publish.publish.inputs import FACES, NET, Sent


def test_without_write_access(run: Publish, hub: Hub, monkeypatch: pytest.MonkeyPatch, sent: Sent) -> None:
    monkeypatch.setenv("HF_TOKEN", tiny.READER)
    with pytest.raises(PublishError, match=f"reader may not write to '{ORG}'; this token may write to: reader"):
        run()
    monkeypatch.setenv("HF_TOKEN", "hf_nonsense")
    with pytest.raises(HfHubHTTPError) as refused:
        run()
    assert "hf auth login" in str(message_for(refused.value)) and "hf_nonsense" not in str(message_for(refused.value))
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("emohub.publish.publish.get_token", lambda: None)
    with pytest.raises(PublishError, match="No token to publish with: log in with `hf auth login`"):
        run()
    assert sent() == []


def test_one_publisher_at_a_time(run: Publish, release: Path, sent: Sent) -> None:
    with opened(release), pytest.raises(BuildError, match="Another `emohub publish` is writing .* Wait for it"):
        run()
    assert sent() == []


def test_an_invalid_journal(run: Publish, release: Path) -> None:
    (release.parent / ".release.publish.json").write_text("[]")
    with pytest.raises(PublishError, match="is not the journal .* Remove it"):
        run()


def test_links_and_missing_cards_are_refused(run: Publish, release: Path, sent: Sent) -> None:
    secret = release.parent / "secret"
    secret.write_text("secret")
    (release / "models/net/link").symlink_to(secret)
    with pytest.raises(PublishError, match="link is a symbolic link"):
        run()
    (release / "models/net/link").unlink()
    (release / "models/net/README.md").unlink()
    with pytest.raises(PublishError, match="has no README.md"):
        run()
    assert sent() == []


def test_verification_names_what_is_wrong(run: Publish, hub: Hub, sandbox: Sandbox, release: Path) -> None:
    run()
    changes = {"keep.json": None, "sub/data.txt": b"other", "README.md": b"# Other\n", "more.txt": b"more"}
    hub.push(NET, changes, "somebody")
    (target,) = [one for one in targets_of(open_release(release), ORG, sandbox.url) if one.repo.name == "net"]
    verifier = Verifier(sandbox.url, download=False)
    (check,) = verifier.files(target, "main")
    assert (check.ok, check.user) == (False, "anonymous")
    assert check.detail == "README.md differs; keep.json is missing; sub/data.txt differs"
    assert [check.ok for check in verifier.files(target, "v0.1.0")] == [True]
    assert [check.ok for check in verifier.files(target, "v9")] == [False]
    hub.repos[FACES].gated = False
    (target,) = [one for one in targets_of(open_release(release), ORG, sandbox.url) if one.repo.name == "faces"]
    (gate, files) = verifier.files(target, "main")
    assert (gate.ok, gate.detail) == (False, "an anonymous user could download a file") and files.ok


def test_damaged_bytes_are_found_by_download(run: Publish, hub: Hub) -> None:
    assert run(verify="bytes")[0].ok
    there = hub.repos[NET].head.files["hq/model1.safetensors"].source
    assert isinstance(there, Path)
    there.write_bytes(there.read_bytes()[:-1] + b"?")
    assert run(verify="files")[0].ok
    wrong = {check.detail for check in run(verify="bytes")[0].checks if not check.ok}
    assert wrong == {"the download of hq/model1.safetensors has different bytes"}


def test_the_journal_holds_digests_only(run: Publish, release: Path) -> None:
    run()
    written = (release.parent / ".release.publish.json").read_text()
    assert tiny.OWNER not in written and "Be kind" not in written
    assert {*json.loads(written)["repos"]} and "Amz" not in written
    assert {path.name for path in release.iterdir()} == {"release.json", "datasets", "models", "metrics", "spaces"}


def test_a_failed_check_uploads_nothing(run: Publish, release: Path, sent: Sent) -> None:
    (release / "models/net/weights.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(PublishError, match="nothing was uploaded") as stopped:
        run(check=True)
    assert "models/net/weights.pkl" in str(stopped.value) and "--no-check" in str(stopped.value)
    assert sent() == []
