"""Verify after a push that users get the files of the release from the Hub."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from huggingface_hub import HfApi, get_token, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from emohub.errors import PublishError, hub_message
from emohub.hub.kinds import Kind
from emohub.publish import card_merge
from emohub.publish.files import CARD, LocalFile, hash_all
from emohub.publish.plan import HUB_FILE, Target
from emohub.publish.smoke import SCRIPTS, load_repos
from emohub.publish.space import call, open_page, wait_until_running

Depth = Literal["none", "files", "bytes", "load", "full"]
# Depth → steps: compare the digests that the Hub lists, download every byte, load every repo as a user would.
STEPS: dict[Depth, set[str]] = {
    "none": set(),
    "files": {"digests"},
    "bytes": {"digests", "bytes"},
    "load": {"digests", "load"},
    "full": {"digests", "bytes", "load"},
}
ANONYMOUS, PUBLISHER = "anonymous", "publisher"


@dataclass(frozen=True)
class Check:
    """The result of one verification.

    Attributes:
        id: The repo.
        what: What was verified.
        ok: Whether it passed.
        detail: What was found.
        user: "anonymous" or "publisher": whose access was used.
    """

    id: str
    what: str
    ok: bool
    detail: str
    user: str


class Verifier:
    """Reads repos back from the Hub.

    Args:
        endpoint: URL of the Hub.
        download: Whether to download every file, or only to compare the digests that the Hub lists.
    """

    def __init__(self, endpoint: str, *, download: bool) -> None:
        self.endpoint, self.download = endpoint, download
        self.downloaded: set[str] = set()
        self.publisher = HfApi(endpoint=endpoint)
        self.anonymous = HfApi(endpoint=endpoint, token=False)

    def files(self, target: Target, revision: str) -> Iterator[Check]:
        """Whether a repo has the files of the release."""
        try:
            yield from self._files(target, revision)
        except HfHubHTTPError as error:
            yield Check(target.id, f"files at {revision}", False, hub_message(error), PUBLISHER)
        except ValueError as error:
            yield Check(target.id, f"files at {revision}", False, f"invalid answer of the Hub: {error}", PUBLISHER)

    def loads(self, targets: Sequence[Target]) -> Iterator[Check]:
        """Whether repos load in one line, in a fresh process for each kind."""
        groups: dict[tuple[Kind, str], dict[str, list[str]]] = {}
        for target in targets:
            if target.repo.kind in SCRIPTS:
                groups.setdefault((target.repo.kind, self._user(target)), {})[target.id] = _splits(target)
        for (kind, user), repos in groups.items():
            results = load_repos(kind, repos, self.endpoint, None if user == ANONYMOUS else get_token())
            yield from (Check(id, "loads", one.ok, "; ".join(one.lines), user) for id, one in results.items())

    def spaces(self, targets: Sequence[Target], log: Callable[[str], None]) -> Iterator[Check]:
        """Whether Spaces run, and whether they answer."""
        for target in targets:
            if target.repo.hub_type == "space":
                yield from self._space(target, log)

    def _space(self, target: Target, log: Callable[[str], None]) -> Iterator[Check]:
        what, user, api = "runs", PUBLISHER, self.publisher
        try:
            commit, hidden = str(api.space_info(target.id).sha), os.environ.get(target.repo.secret or "")
            seconds = wait_until_running(api, target.id, commit, log, hidden=hidden)
            yield Check(target.id, what, True, f"RUNNING after {seconds:.0f} s", user)
            what, user = "answers", self._user(target)
            host, token = str(api.space_info(target.id).host), None if user == ANONYMOUS else get_token()
            gradio = card_merge.metadata(target.files[CARD].text).get("sdk") == "gradio"
            callable_app = gradio and target.repo.kind == "space"
            answer = call(host, target.files, token) if callable_app else open_page(host, token)
            yield Check(target.id, what, True, answer, user)
        except PublishError as error:
            yield Check(target.id, what, False, str(error), user)
        except HfHubHTTPError as error:
            yield Check(target.id, what, False, hub_message(error), user)

    def _user(self, target: Target) -> str:
        """Anonymous, unless the repo is private or gated."""
        info = self.publisher.repo_info(**target.repo_args)
        return PUBLISHER if info.private or getattr(info, "gated", None) else ANONYMOUS

    def _files(self, target: Target, revision: str) -> Iterator[Check]:
        user = self._user(target)
        api = self.anonymous if user == ANONYMOUS else self.publisher

        shown = revision[:7] if len(revision) == 40 else revision

        def check(what: str, problems: Sequence[str], good: str) -> Check:
            return Check(target.id, what, not problems, "; ".join(problems[:5]) or good, user)

        if target.repo.gated or target.repo.private:
            yield self._access_denied(target, revision)
        remote = self._tree(api, target, revision)
        extra = sorted({*remote} - {*target.files} - {HUB_FILE})
        wrong = self._differences(api, target, remote, revision)
        more = f", {len(extra)} added on the Hub" if extra else ""
        yield check(f"files at {shown}", wrong, f"{len(target.files)} match the release{more}")
        if self.download and target.id not in self.downloaded:  # once: at the commit that is tagged, or at its tag
            self.downloaded.add(target.id)
            wrong = [line for file in target.files.values() for line in self._bytes(api, target, file, revision)]
            yield check("download", wrong, f"{sum(file.size for file in target.files.values()):,} bytes")

    def _tree(self, api: HfApi, target: Target, revision: str) -> dict[str, RepoFile]:
        listed = api.list_repo_tree(**target.repo_args, recursive=True, revision=revision)
        return {entry.path: entry for entry in listed if isinstance(entry, RepoFile)}

    def _differences(self, api: HfApi, target: Target, remote: dict[str, RepoFile], revision: str) -> list[str]:
        """Files that are missing or differ; the notes of the card may differ."""
        hash_all(target.files.values())
        found = []
        for path, file in target.files.items():
            if path not in remote:
                found.append(f"{path} is missing")
            elif not file.matches(remote[path]) and not (
                path == CARD and self._same_card(api, target, file, revision)
            ):
                found.append(f"{path} differs")
        return found

    def _same_card(self, api: HfApi, target: Target, file: LocalFile, revision: str) -> bool:
        text = self._get(api, target, CARD, revision).decode("utf-8", errors="replace")
        return card_merge.fingerprint(text) == card_merge.fingerprint(file.text)

    def _get(self, api: HfApi, target: Target, path: str, revision: str) -> bytes:
        response = get_session().get(self._url(target, path, revision), headers=build_hf_headers(token=api.token))
        hf_raise_for_status(response)
        return response.content

    def _url(self, target: Target, path: str, revision: str) -> str:
        return hf_hub_url(target.id, path, repo_type=target.repo.hub_type, revision=revision, endpoint=self.endpoint)

    def _bytes(self, api: HfApi, target: Target, file: LocalFile, revision: str) -> Iterator[str]:
        if file.path == CARD and self._same_card(api, target, file, revision):
            return
        found = hashlib.sha256()
        headers = build_hf_headers(token=api.token)
        with get_session().stream("GET", self._url(target, file.path, revision), headers=headers) as response:
            hf_raise_for_status(response)
            for block in response.iter_bytes():
                found.update(block)
        if found.hexdigest() != file.digests[0]:
            yield f"the download of {file.path} has different bytes"

    def _access_denied(self, target: Target, revision: str) -> Check:
        """Whether an anonymous user cannot download a file."""
        what = "private" if target.repo.private else "gated"
        try:
            self._get(self.anonymous, target, next(iter(target.files)), revision)
        except (GatedRepoError, RepositoryNotFoundError) as error:
            return Check(target.id, what, True, f"answered {error.response.status_code}", ANONYMOUS)
        return Check(target.id, what, False, "an anonymous user could download a file", ANONYMOUS)


def _splits(target: Target) -> list[str]:
    """The `config/split` names in the card of a dataset."""
    configs = card_merge.metadata(target.files[CARD].text).get("configs") or []
    return [
        f"{config['config_name']}/{part['split']}"
        for config in configs
        for part in config.get("data_files") or ()
        if isinstance(part, dict) and "split" in part
    ]
