"""Links: between the repos of a release, and from a card to the files of its repo."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from emohub.check.base import REPOS, Check, Failure, Subject, as_list, truncate_list
from emohub.hub.json_files import parse_json
from emohub.hub.kinds import FOLDERS, Kind
from emohub.release.record import RECORD

LINKED = (".md", ".json", ".py", ".yaml", ".yml", ".toml", ".txt")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
TARGETS = (
    re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)"),
    re.compile(r"^\s*\[[^\]]+\]:\s*(\S+)", re.MULTILINE),
    re.compile(r"<(?:img|a|source|video)\b[^>]*?\b(?:src|href)\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE),
)
# Use of an id in a text → the valid kinds.
USES: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (r"load_dataset\(\s*[\"']{id}", ("dataset",)),
    (r"huggingface\.co/datasets/{id}", ("dataset",)),
    (r"evaluate\.load\(\s*[\"']{id}", ("metric",)),
    (r"from_pretrained\(\s*[\"']{id}", ("model",)),
    (r"pipeline\([^)]*?model=[\"']{id}", ("model",)),
    (r"huggingface\.co/spaces/{id}", ("metric", "space")),
    (r"huggingface\.co/{id}", ("model",)),
)
META: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("models", ("model",)),
    ("base_model", ("model",)),
    ("datasets", ("dataset",)),
    ("metrics", ("metric",)),
    ("spaces", ("space", "metric")),
)
NAME = r"(?P<name>\w[\w.-]*\w|\w)"


def ids(subject: Subject) -> Iterator[Failure]:
    """Every id in the release's namespace is a repo of the release."""
    if subject.release is None:
        return
    known = {repo.name for repo in subject.others()}
    pattern = re.compile(rf"(?<![\w.-]){re.escape(subject.release.namespace)}/{NAME}")
    for name in subject.having(*LINKED):
        found = {match["name"].rstrip(".-") for match in pattern.finditer(subject.text(name))}
        if unknown := sorted(found - known):
            listed = truncate_list(f"{subject.release.namespace}/{one}" for one in unknown)
            yield subject.failure(name, f"names {listed}, not in this release", "Correct the id, or add the repo.")


def kinds(subject: Subject) -> Iterator[Failure]:
    """Ids are used as their kind: a dataset is loaded as a dataset."""
    if subject.release is None:
        return
    for name in subject.having(".md", ".py"):
        text = subject.text(name)
        for use, valid in USES:
            pattern = use.replace("{id}", rf"{re.escape(subject.release.namespace)}/{NAME}")
            for match in re.finditer(pattern, text):
                yield from _wrong_kind(subject, name, match["name"].rstrip(".-"), valid)
    for key, valid in META:
        for value in as_list(subject.meta.get(key)):
            namespace, _, repo = str(value).partition("/")
            if namespace == subject.release.namespace:
                yield from _wrong_kind(subject, "README.md", repo, valid)


def _wrong_kind(subject: Subject, file: str, name: str, valid: tuple[Kind, ...]) -> Iterator[Failure]:
    kinds = {repo.kind for repo in subject.others() if repo.name == name}
    if kinds and not kinds & set(valid):
        found = f"uses {name} as a {' or '.join(valid)}, but it is a {' and a '.join(sorted(kinds))}"
        yield subject.failure(file, found, "Name a repo of the right kind.")


def configs(subject: Subject) -> Iterator[Failure]:
    """Examples load configs that exist."""
    if subject.release is None:
        return
    pattern = re.compile(
        rf"load_dataset\(\s*[\"']{re.escape(subject.release.namespace)}/{NAME}[\"']\s*,\s*[\"'](?P<config>[^\"']+)"
    )
    for name in subject.having(".md", ".py"):
        for match in pattern.finditer(subject.text(name)):
            folder = subject.release.folder / FOLDERS["dataset"] / match["name"]
            if folder.is_dir() and not any((folder / match["config"]).glob("*.parquet")):
                found = f"loads the config {match['config']!r}, which {match['name']} does not have"
                yield subject.failure(name, found, "Correct the example.")


def settings(subject: Subject) -> Iterator[Failure]:
    """The model in `settings.json` of a Space is in the card's `models`; one of this namespace, in the release."""
    if "settings.json" not in subject.files or subject.release is None:
        return
    try:
        model = parse_json(subject.text("settings.json")).get("model")
    except (ValueError, AttributeError):
        return  # files.json reports it
    if model is None:
        return
    models = {subject.release.id_of(repo) for repo in subject.others("model")}
    if str(model).startswith(f"{subject.release.namespace}/") and model not in models:
        do = f"Name one of {truncate_list(sorted(models))}." if models else "Add the model to the release."
        yield subject.failure("settings.json", f"the model is {model!r}, not a model of this release", do)
    elif model not in as_list(subject.meta.get("models")):
        yield subject.failure("README.md", f"`models` does not name {model}", "Add it: the Hub links them by it.")


def access(subject: Subject) -> Iterator[Failure]:
    """A Space can load its models and datasets: each is open, or the Space has a secret."""
    if subject.release is None or (subject.repo and subject.repo.secret):
        return
    kinds: tuple[tuple[str, Kind], ...] = (("models", "model"), ("datasets", "dataset"))
    for key, kind in kinds:
        closed = {subject.release.id_of(one): one for one in subject.others(kind) if one.private or one.gated}
        for name in dict.fromkeys(map(str, as_list(subject.meta.get(key)))):
            if one := closed.get(name):
                found = f"{name} is {'private' if one.private else 'gated'}, and the Space has no token to load it"
                do = f'Open the {kind}, or name a secret in release.toml: secret = "HF_TOKEN".'
                yield subject.failure("README.md", found, do)


def files(subject: Subject) -> Iterator[Failure]:
    """Images and files that the card links to exist."""
    text = CODE.sub("", FENCE.sub("", subject.card.body))
    for target in dict.fromkeys(match for pattern in TARGETS for match in pattern.findall(text)):
        if re.match(r"[a-z][a-z0-9+.-]*:|//|#", target, re.IGNORECASE):
            continue
        path = unquote(target.partition("#")[0].partition("?")[0])
        inside = path and not path.startswith("/") and ".." not in PurePosixPath(path).parts
        if not inside or not (subject.folder / path).exists():
            yield subject.failure(
                "README.md", f"links to {target!r}, which does not exist", "Add the file, or correct it."
            )


def whole(subject: Subject) -> Iterator[Failure]:
    """The release contains the repos of `release.json`, and nothing else."""
    assert subject.release is not None
    known = {repo.path for repo in subject.release.repos}
    for path in sorted(subject.folder.iterdir()):
        if path.name in FOLDERS.values() and path.is_dir():
            for folder in sorted(path.iterdir()):
                if (relative := f"{path.name}/{folder.name}") not in known:
                    yield subject.failure(relative, f"is not in {RECORD}", "Delete it, or build the release again.")
        elif path.name != RECORD and not path.name.startswith("."):  # the kit's own state, which is not published
            yield subject.failure(path.name, f"is neither {RECORD} nor a folder of repos", "Move it elsewhere.")
    hub = [(repo.hub_type, repo.name.lower()) for repo in subject.release.repos]
    for kind, name in sorted({pair for pair in hub if hub.count(pair) > 1}):
        yield subject.failure(RECORD, f"two repos would be the {kind} {name} on the Hub", "Rename one of them.")


CHECKS = (
    Check("release.whole", ("release",), "contains the repos of release.json only", whole),
    Check("links.ids", REPOS, "ids name repos of this release", ids),
    Check("links.kinds", REPOS, "repos are used as their kind", kinds),
    Check("links.configs", REPOS, "examples load configs that exist", configs),
    Check("links.settings", ("space",), "the Space's model is in the release", settings),
    Check("links.access", ("space",), "the Space can load its models and datasets", access),
    Check("links.files", REPOS, "images and files of the card exist", files),
)
