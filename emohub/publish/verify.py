"""After a push: does the Hub give to others what the release holds?"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from huggingface_hub import HfApi, get_token, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import (
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from emohub.errors import hub_message
from emohub.hub.kinds import Kind
from emohub.publish import cards
from emohub.publish.files import CARD, LocalFile, hash_all
from emohub.publish.plan import OF_THE_HUB, Target
from emohub.publish.strangers import VISITS, visit

Depth = Literal["none", "files", "bytes", "load", "full"]
# Depth → digests as the Hub lists them, every byte downloaded, every repo loaded as a user would.
LOOKS: dict[Depth, set[str]] = {
    "none": set(),
    "files": {"digests"},
    "bytes": {"digests", "bytes"},
    "load": {"digests", "loads"},
    "full": {"digests", "bytes", "loads"},
}
STRANGER, PUBLISHER = "a stranger", "the publisher"


@dataclass(frozen=True)
class Check:
    """One thing that was verified, or not.

    Attributes:
        id: The repo.
        what: What was looked at.
        ok: Whether it is as it should be.
        said: What was seen.
        who: As whom it was read.
    """

    id: str
    what: str
    ok: bool
    said: str
    who: str


class Verifier:
    """Reads repos back.

    Args:
        endpoint: The Hub.
        every_byte: Whether to download all, or to believe the digests that the Hub lists.
    """

    def __init__(self, endpoint: str, *, every_byte: bool) -> None:
        self.endpoint, self.every_byte = endpoint, every_byte
        self.publisher = HfApi(endpoint=endpoint)
        self.stranger = HfApi(endpoint=endpoint, token=False)

    def files(self, target: Target, revision: str) -> Iterator[Check]:
        """Whether the files of one repo are those of the release."""
        try:
            yield from self._files(target, revision)
        except HfHubHTTPError as error:
            yield Check(target.id, f"files at {revision}", False, hub_message(error), PUBLISHER)
        except ValueError as error:
            yield Check(target.id, f"files at {revision}", False, f"the answer is not readable: {error}", PUBLISHER)

    def loads(self, targets: Sequence[Target]) -> Iterator[Check]:
        """Whether repos load in one line, in a fresh process for each kind."""
        groups: dict[tuple[Kind, str], dict[str, list[str]]] = {}
        for target in targets:
            if target.repo.kind in VISITS:
                groups.setdefault((target.repo.kind, self._who(target)), {})[target.id] = _splits(target)
        for (kind, who), repos in groups.items():
            seen = visit(kind, repos, self.endpoint, None if who == STRANGER else get_token())
            yield from (Check(id, "loads", one.ok, "; ".join(one.lines), who) for id, one in seen.items())

    def _who(self, target: Target) -> str:
        """A stranger, unless the repo is closed to strangers."""
        info = self.publisher.repo_info(**target.of)
        return PUBLISHER if info.private or getattr(info, "gated", None) else STRANGER

    def _files(self, target: Target, revision: str) -> Iterator[Check]:
        who = self._who(target)
        api = self.stranger if who == STRANGER else self.publisher

        def check(what: str, problems: Sequence[str], good: str) -> Check:
            return Check(target.id, what, not problems, "; ".join(problems[:5]) or good, who)

        if target.repo.gated or target.repo.private:
            yield self._closed(target, revision)
        there = self._tree(api, target, revision)
        theirs = sorted({*there} - {*target.files} - {OF_THE_HUB})
        wrong = self._wrong(api, target, there, revision)
        extra = f", and {len(theirs)} of other people" if theirs else ""
        yield check(f"files at {revision}", wrong, f"{len(target.files)} as in the release{extra}")
        if self.every_byte:
            wrong = [line for file in target.files.values() for line in self._bytes(api, target, file, revision)]
            yield check("every byte", wrong, f"{sum(file.size for file in target.files.values()):,} bytes downloaded")

    def _tree(self, api: HfApi, target: Target, revision: str) -> dict[str, RepoFile]:
        listed = api.list_repo_tree(**target.of, recursive=True, revision=revision)
        return {entry.path: entry for entry in listed if isinstance(entry, RepoFile)}

    def _wrong(self, api: HfApi, target: Target, there: dict[str, RepoFile], revision: str) -> list[str]:
        """Files that are missing or other; the card may hold other notes."""
        hash_all(target.files.values())
        found = []
        for path, file in target.files.items():
            if path not in there:
                found.append(f"{path} is missing")
            elif not file.same(there[path]) and not (path == CARD and self._same_card(api, target, file, revision)):
                found.append(f"{path} is another")
        return found

    def _same_card(self, api: HfApi, target: Target, file: LocalFile, revision: str) -> bool:
        text = self._get(api, target, CARD, revision).decode("utf-8", errors="replace")
        return cards.fingerprint(text) == cards.fingerprint(file.content.decode())

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
            yield f"{file.path} arrives with other bytes"

    def _closed(self, target: Target, revision: str) -> Check:
        """Whether a stranger is stopped at the door."""
        what = "is private" if target.repo.private else "asks a stranger first"
        try:
            self._get(self.stranger, target, next(iter(target.files)), revision)
        except (GatedRepoError, RepositoryNotFoundError) as error:
            return Check(target.id, what, True, f"answered {error.response.status_code}", STRANGER)
        return Check(target.id, what, False, "a stranger could read a file", STRANGER)


def _splits(target: Target) -> list[str]:
    """The `config/split` names that a dataset's card promises."""
    configs = cards.metadata(target.files[CARD].content.decode()).get("configs") or []
    return [
        f"{config['config_name']}/{part['split']}"
        for config in configs
        for part in config.get("data_files") or ()
        if isinstance(part, dict) and "split" in part
    ]
