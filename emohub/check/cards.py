"""Cards: metadata that the Hub accepts, no placeholders, gates that agree with the release."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from huggingface_hub import CardData, DatasetCardData, ModelCardData, SpaceCardData
from huggingface_hub.utils import HFValidationError, validate_repo_id

from emohub.check.base import REPOS, Check, Failure, Scope, Subject, as_list, truncate_list
from emohub.errors import printable
from emohub.hub.words import (
    ANNOTATIONS_CREATORS,
    COLOURS,
    LANGUAGES,
    LICENSE_NAME,
    LICENSES,
    RELATIONS,
    SDKS,
    SIZES,
    TASK_IDS,
    TASKS,
    gate_field_error,
)
from emohub.release.results import is_result, read_eval_results

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
    "results": ("license", "pretty_name", "tags", "configs"),
}
METRIC_TAGS = {"evaluate", "metric"}
CLASSES: Mapping[Scope, type[CardData]] = {
    "dataset": DatasetCardData,
    "model": ModelCardData,
    "metric": SpaceCardData,
    "space": SpaceCardData,
    "results": DatasetCardData,
}


def parses(subject: Subject) -> Iterator[Failure]:
    """The card exists, and its metadata are valid YAML."""
    if subject.card.error:
        yield subject.failure(
            README, subject.card.error, "Correct the card: the Hub refuses it, or shows it without metadata."
        )
    elif not subject.card.body.strip():
        yield subject.failure(README, "the card has metadata but no text", "Build the card again.")


def required(subject: Subject) -> Iterator[Failure]:
    """The metadata keys that this kind of repo needs to be found and displayed."""
    if subject.card.error:
        return
    sdk = subject.meta.get("sdk", "gradio")
    needless = {"sdk_version", "app_file"} if sdk not in ("gradio", "streamlit") else set()
    missing = [key for key in REQUIRED[subject.kind] if not subject.meta.get(key) and key not in needless]
    if missing:
        yield subject.failure(README, f"missing metadata: {', '.join(missing)}", "Add them to the YAML of the card.")
    if subject.kind == "metric" and not METRIC_TAGS <= set(map(str, as_list(subject.meta.get("tags")))):
        yield subject.failure(
            README, "the tags evaluate and metric are missing", "Add both: the Hub lists metrics by them."
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
    """`NAMESPACE/NAME`: a bare name may be a folder of this machine."""
    try:
        validate_repo_id(value)
    except HFValidationError:
        return False
    return value.count("/") == 1 and not value.startswith((".", "/"))


def _yes_no(value: Any) -> bool:
    return isinstance(value, bool)


def _license_name(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(LICENSE_NAME, value))


HUB_IDS = "ids on the Hub such as google/siglip2-so400m-patch16-384"
# Key → whether one value is valid, whether a list is allowed, which values are valid.
RULES: Mapping[str, tuple[Callable[[Any], bool], bool, str]] = {
    "license": (_of(LICENSES), True, "a licence id of the Hub such as cc-by-4.0, or other"),
    "license_name": (_license_name, False, "lowercase letters, digits, dots and hyphens"),
    "language": (_language, True, "ISO 639 codes such as en"),
    "pipeline_tag": (_of(TASKS), False, "a task of the Hub such as image-classification"),
    "task_categories": (_of(TASKS), True, "tasks of the Hub such as image-classification"),
    "task_ids": (_of(TASK_IDS), True, "subtasks of the Hub such as multi-label-image-classification"),
    "annotations_creators": (_of(ANNOTATIONS_CREATORS), True, ", ".join(sorted(ANNOTATIONS_CREATORS))),
    "size_categories": (_of(frozenset(name for name, _ in SIZES)), True, "classes such as 1K<n<10K"),
    "tags": (_text, True, "strings; quote what YAML reads as a number, a date or a boolean"),
    "library_name": (_text, False, "a string"),
    "pretty_name": (_text, False, "a string"),
    "title": (_text, False, "a string"),
    "short_description": (_short, False, "a string of at most 60 characters"),
    "emoji": (_emoji, False, "one emoji"),
    "colorFrom": (_of(COLOURS), False, ", ".join(sorted(COLOURS))),
    "colorTo": (_of(COLOURS), False, ", ".join(sorted(COLOURS))),
    "sdk": (_of(SDKS), False, ", ".join(sorted(SDKS))),
    "pinned": (_yes_no, False, "true or false"),
    "base_model": (_repo_id, True, f"{HUB_IDS}, not a local path"),
    "base_model_relation": (_of(RELATIONS), False, ", ".join(sorted(RELATIONS))),
    "models": (_repo_id, True, HUB_IDS),
    "datasets": (_repo_id, True, HUB_IDS),
}


def values(subject: Subject) -> Iterator[Failure]:
    """Every value is one that the Hub accepts, and values agree with each other."""
    for key, (valid, many, expected) in RULES.items():
        value = subject.meta.get(key)
        if value is None:
            continue
        each = value if many and isinstance(value, list) else [value]
        if bad := [one for one in each if not valid(one)]:
            yield subject.failure(README, f"{key} is {truncate_list(map(repr, bad))}", f"Valid: {expected}.")
        elif repeated := {one for one in each if each.count(one) > 1}:
            yield subject.failure(README, f"{key} contains {truncate_list(sorted(repeated))} twice", "Name it once.")
    if isinstance(subject.meta.get("tags"), str):
        yield subject.failure(README, "tags is a string", "Write a list, even for one tag.")
    if "other" in as_list(subject.meta.get("license")) and not subject.meta.get("license_name"):
        yield subject.failure(README, "license is other, without license_name", "Add license_name (and license_link).")
    if subject.meta.get("base_model_relation") and not subject.meta.get("base_model"):
        yield subject.failure(README, "base_model_relation is given without base_model", "Add base_model.")


def results(subject: Subject) -> Iterator[Failure]:
    """`model-index` and `.eval_results` can be read by the classes of huggingface_hub."""
    try:
        CLASSES[subject.kind](**{"model_name": subject.name, **subject.meta}, ignore_metadata_errors=False)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"huggingface_hub cannot read the metadata: {printable(error)}"
        yield subject.failure(README, found, "See the documentation of huggingface_hub on model-index.")
    for name in subject.files:
        if is_result(name):
            try:
                read_eval_results(subject.text(name))
            except ValueError as error:
                yield subject.failure(name, str(error), "Build the card again.")


# -- the text ----------------------------------------------------------------------------------------

ORG = "the namespace ORG"
PLACEHOLDERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        (ORG, r"(?<![\w/.-])ORG/[\w.-]+"),
        ("a placeholder name", r"(?i)\byour[-_](?:user-?name|org|namespace|token)\b|<(?:namespace|name)>"),
        ("TODO or FIXME", r"\b(?:TODO|FIXME|XXX|TBD)\b"),
        ("the template's “More Information Needed”", r"(?i)\[?more information needed\]?"),
        ("template code", r"(?<!\{)\{\{\s*[\w.|() ]+\s*\}\}(?!\})|\{%.{0,80}?%\}"),
        ("filler text", r"(?i)\blorem ipsum\b"),
    )
)
BIBTEX = re.compile(r"```bibtex\n.*?```", re.DOTALL)


def placeholders(subject: Subject) -> Iterator[Failure]:
    """No placeholder is left in the card or in settings.json."""
    for name in (README, "settings.json"):
        if name not in subject.files:
            continue
        text = BIBTEX.sub("", subject.text(name))
        for what, pattern in PLACEHOLDERS:
            if (found := pattern.search(text)) and not (what == ORG and subject.is_source):
                line = text.count("\n", 0, found.start()) + 1
                do = "Replace it; `emohub build release` fills in the namespace of its manifest."
                yield subject.failure(name, f"contains {what}: {printable(found.group(), 50)!r}, line {line}", do)


# -- gates -------------------------------------------------------------------------------------------


def gate(subject: Subject) -> Iterator[Failure]:
    """The card has terms if, and only if, the repo is gated in the release, with fields that the Hub accepts."""
    prompt, fields = subject.meta.get("extra_gated_prompt"), subject.meta.get("extra_gated_fields")
    gated = subject.repo.gated if subject.repo else None
    if gated and not (isinstance(prompt, str) and prompt.strip()):
        found = f"release.json says that the repo is gated ({gated}), but the card has no extra_gated_prompt"
        yield subject.failure(README, found, "Give the terms in release.toml under [gates], and build again.")
    if subject.repo and not gated and (prompt or fields):
        found = "the card has terms to accept, but release.json does not say that the repo is gated"
        yield subject.failure(README, found, "Name the gate of the repo in release.toml, or drop the terms.")
    if fields is not None and not isinstance(fields, dict):
        yield subject.failure(README, "extra_gated_fields is not a mapping", "Write question: type of the answer.")
        return
    for question, kind in (fields or {}).items():
        if error := gate_field_error(kind):
            found = f"extra_gated_fields, {printable(question)!r}: {printable(error, 200)}"
            yield subject.failure(README, found, "Give the question a valid type of answer.")


CHECKS = (
    Check("cards.parse", REPOS, "the card exists, its YAML parses", parses),
    Check("cards.required", REPOS, "required metadata are present", required),
    Check("cards.values", REPOS, "metadata values are valid on the Hub", values),
    Check("cards.results", REPOS, "evaluation results are readable", results),
    Check("cards.placeholders", REPOS, "no placeholders are left", placeholders),
    Check("cards.gate", ("dataset", "model"), "terms in the card match the gate", gate),
)
