"""Cards: metadata that the Hub understands, nothing left to fill in, gates that agree with the release."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from huggingface_hub import CardData, DatasetCardData, ModelCardData, SpaceCardData, parse_eval_result_entries
from huggingface_hub.utils import HFValidationError, validate_repo_id

from emohub.check.base import REPOS, Check, Failure, Scope, Subject, as_list
from emohub.check.base import truncate_list as some
from emohub.errors import printable as shown
from emohub.hub.card import read_yaml
from emohub.hub.words import COLOURS, GATE_FIELDS, LANGUAGES, LICENSES, SDKS, SIZES, TASKS

README = "README.md"
SPACE_KEYS = ("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "app_file", "license")
REQUIRED: Mapping[Scope, tuple[str, ...]] = {
    "dataset": (
        "license",
        "language",
        "pretty_name",
        "task_categories",
        "size_categories",
        "tags",
        "configs",
        "dataset_info",
    ),
    "model": ("license", "library_name", "pipeline_tag", "tags"),
    "metric": (*SPACE_KEYS, "tags"),
    "space": SPACE_KEYS,
}
METRIC_TAGS = {"evaluate", "metric"}
CLASSES: Mapping[Scope, type[CardData]] = {
    "dataset": DatasetCardData,
    "model": ModelCardData,
    "metric": SpaceCardData,
    "space": SpaceCardData,
}


def parses(subject: Subject) -> Iterator[Failure]:
    """There is a card, and its metadata are YAML."""
    if subject.card.error:
        yield subject.failure(README, subject.card.error, "Mend the card; the Hub refuses it or shows it bare.")
    elif not subject.card.body.strip():
        yield subject.failure(README, "the card has metadata and no text", "Build the card again.")


def required(subject: Subject) -> Iterator[Failure]:
    """The keys that this kind of repo needs to be found and understood."""
    if subject.card.error:
        return
    sdk = subject.meta.get("sdk", "gradio")
    needless = {"sdk_version", "app_file"} if sdk not in ("gradio", "streamlit") else set()
    missing = [key for key in REQUIRED[subject.kind] if not subject.meta.get(key) and key not in needless]
    if missing:
        yield subject.failure(README, f"metadata lack {', '.join(missing)}", "Add them to the YAML of the card.")
    if subject.kind == "metric" and not METRIC_TAGS <= set(map(str, as_list(subject.meta.get("tags")))):
        yield subject.failure(
            README, "metadata lack the tags evaluate and metric", "Add both: the Hub lists it by them."
        )


# -- values ------------------------------------------------------------------------------------------


def _of(words: frozenset[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _short(value: Any) -> bool:
    return _text(value) and len(value) <= 60


def _language(value: Any) -> bool:
    return isinstance(value, str) and (value in LANGUAGES or bool(re.fullmatch(r"[a-z]{3}", value)))


def _emoji(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 10 and all(ord(letter) > 0x203B for letter in value[:1])


def _repo_id(value: Any) -> bool:
    try:
        validate_repo_id(value)
    except HFValidationError:
        return False
    return isinstance(value, str) and not value.startswith((".", "/"))


def _yes_no(value: Any) -> bool:
    return isinstance(value, bool)


# Key → whether one value is valid, whether several may stand there, what is valid.
RULES: Mapping[str, tuple[Callable[[Any], bool], bool, str]] = {
    "license": (_of(LICENSES), True, "a licence id of the Hub such as cc-by-4.0, or other"),
    "language": (_language, True, "ISO 639 codes such as en"),
    "pipeline_tag": (_of(TASKS), False, "a task of the Hub such as image-classification"),
    "task_categories": (_of(TASKS), True, "tasks of the Hub such as image-classification"),
    "size_categories": (_of(frozenset(name for name, _ in SIZES)), True, "classes such as 1K<n<10K"),
    "tags": (_text, True, "texts; quote what YAML takes for a number, a date or a truth value"),
    "library_name": (_text, False, "a text"),
    "pretty_name": (_text, False, "a text"),
    "title": (_text, False, "a text"),
    "short_description": (_short, False, "a text of at most 60 letters"),
    "emoji": (_emoji, False, "one emoji"),
    "colorFrom": (_of(COLOURS), False, ", ".join(sorted(COLOURS))),
    "colorTo": (_of(COLOURS), False, ", ".join(sorted(COLOURS))),
    "sdk": (_of(SDKS), False, ", ".join(sorted(SDKS))),
    "pinned": (_yes_no, False, "true or false"),
    "base_model": (_repo_id, True, "ids on the Hub such as google/siglip2-so400m-patch16-384, never a local path"),
    "models": (_repo_id, True, "ids on the Hub"),
    "datasets": (_repo_id, True, "ids on the Hub"),
}


def values(subject: Subject) -> Iterator[Failure]:
    """Every value is one that the Hub knows."""
    for key, (valid, many, expected) in RULES.items():
        value = subject.meta.get(key)
        if value is None:
            continue
        each = value if many and isinstance(value, list) else [value]
        if bad := [one for one in each if not valid(one)]:
            yield subject.failure(README, f"{key} is {some(map(repr, bad))}", f"Valid: {expected}.")
        elif twice := {one for one in each if each.count(one) > 1}:
            yield subject.failure(README, f"{key} names {some(sorted(twice))} twice", "Name it once.")
    if "other" in as_list(subject.meta.get("license")) and not subject.meta.get("license_name"):
        yield subject.failure(README, "license is other, without license_name", "Add license_name (and license_link).")


def results(subject: Subject) -> Iterator[Failure]:
    """`model-index` and `.eval_results` are read by the Hub's own classes."""
    try:
        CLASSES[subject.kind](**{"model_name": subject.name, **subject.meta}, ignore_metadata_errors=False)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"the Hub's card class refuses the metadata: {shown(error)}"
        yield subject.failure(README, found, "See the docs of huggingface_hub on model-index.")
    for name in subject.files:
        if name.startswith(".eval_results/") and name.endswith((".yaml", ".yml")):
            try:
                parse_eval_result_entries(read_yaml(subject.text(name)))
            except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
                yield subject.failure(name, f"is no list of results: {shown(error)}", "Build the card again.")


# -- the text ----------------------------------------------------------------------------------------

PLACEHOLDERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("the namespace ORG", r"(?<![\w/.-])ORG/[\w.-]+"),
        ("a name to fill in", r"(?i)\byour[-_](?:user-?name|org|namespace|token)\b|<(?:namespace|name)>"),
        ("TODO or FIXME", r"\b(?:TODO|FIXME|XXX|TBD)\b"),
        ("the template's “More Information Needed”", r"(?i)\[?more information needed\]?"),
        ("template code", r"(?<!\{)\{\{\s*[\w.|() ]+\s*\}\}(?!\})|\{%.{0,80}?%\}"),
        ("filler text", r"(?i)\blorem ipsum\b"),
    )
)
BIBTEX = re.compile(r"```bibtex\n.*?```", re.DOTALL)


def placeholders(subject: Subject) -> Iterator[Failure]:
    """Nothing is left to fill in, in the card or in settings."""
    for name in (README, "settings.json"):
        if name not in subject.files:
            continue
        text = BIBTEX.sub("", subject.text(name))
        for what, pattern in PLACEHOLDERS:
            if found := pattern.search(text):
                line = text.count("\n", 0, found.start()) + 1
                do = "Fill it in; `emohub build release` writes cards with the namespace of its manifest."
                yield subject.failure(name, f"holds {what}: {shown(found.group(), 50)!r}, line {line}", do)


# -- gates -------------------------------------------------------------------------------------------


def gate(subject: Subject) -> Iterator[Failure]:
    """Terms in the card exactly where the release says that the repo is gated, with fields that the Hub knows."""
    prompt, fields = subject.meta.get("extra_gated_prompt"), subject.meta.get("extra_gated_fields")
    gated = subject.repo.gated if subject.repo else None
    if gated and not (isinstance(prompt, str) and prompt.strip()):
        found = f"release.json says that the repo is gated ({gated}), the card has no extra_gated_prompt"
        yield subject.failure(README, found, "Give the terms in release.toml under [gates], and build again.")
    if subject.repo and not gated and (prompt or fields):
        found = "the card has terms to accept, release.json does not say that the repo is gated"
        yield subject.failure(README, found, "Name the gate of the repo in release.toml, or drop the terms.")
    if fields is not None and not isinstance(fields, dict):
        yield subject.failure(README, "extra_gated_fields is no mapping", "Write question: type of the answer.")
        return
    for question, kind in (fields or {}).items():
        known = kind.get("type") if isinstance(kind, dict) else kind
        if known not in GATE_FIELDS:
            found = f"extra_gated_fields asks {shown(question)!r} for a {shown(known)!r}"
            yield subject.failure(README, found, f"Valid: {', '.join(sorted(GATE_FIELDS))}.")


CHECKS = (
    Check("cards.parse", REPOS, "there is a card, its YAML parses", parses),
    Check("cards.required", REPOS, "metadata that this kind needs", required),
    Check("cards.values", REPOS, "metadata that the Hub knows", values),
    Check("cards.results", REPOS, "results that the Hub reads", results),
    Check("cards.placeholders", REPOS, "nothing is left to fill in", placeholders),
    Check("cards.gate", ("dataset", "model"), "terms in the card where gated, only there", gate),
)
