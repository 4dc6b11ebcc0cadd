"""The vocabulary of card metadata: what the Hub accepts, in one table for manifest, cards and checks.

`words.json` is generated from npm packages of Hugging Face by `tools/hub_words.py`, which says which words come from
which package. Words that no package has are listed here by hand, with their source.
"""

from pathlib import Path
from typing import Any

from emohub.hub.json_files import read_json

_GENERATED: dict[str, list[str]] = read_json(Path(__file__).with_suffix(".json"))


def _generated(key: str) -> frozenset[str]:
    return frozenset(_GENERATED[key])


# https://huggingface.co/docs/hub/repositories-licenses has these besides those of the package.
_MORE_LICENSES = "eupl-1.2 fair-noncommercial-research-license intel-research llama4 openmdw-1.0"
LICENSES = _generated("licenses") | {*_MORE_LICENSES.split()}
LICENSE_NAME = r"^[a-z0-9.-]+$"  # of license_name, beside license: other
# Addresses of texts, by https://spdx.org/licenses.
LICENSE_LINKS = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/legalcode",
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/legalcode",
    "mit": "https://opensource.org/license/mit",
}
TASKS = _generated("tasks")
TASK_IDS = _generated("task_ids")
# ISO 639-1, and the two special values of https://github.com/huggingface/hub-docs/blob/main/datasetcard.md.
LANGUAGES = _generated("languages") | {"code", "multilingual"}
COLOURS = _generated("space_colors")
SDKS = _generated("space_sdks")
GATE_FIELDS = _generated("gate_fields")
EVALUATION_FRAMEWORKS = _generated("evaluation_frameworks")  # of eval.yaml
# https://github.com/huggingface/hub-docs/blob/main/datasetcard.md; huggingface_hub's DatasetCardData lists them too.
ANNOTATIONS_CREATORS = frozenset("found crowdsourced expert-generated machine-generated no-annotation other".split())
# https://huggingface.co/docs/hub/model-cards#specifying-a-base-model
RELATIONS = frozenset("finetune adapter merge quantized".split())
# Name and the rows from which the next one holds: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
SIZES = (
    ("n<1K", 10**3),
    ("1K<n<10K", 10**4),
    ("10K<n<100K", 10**5),
    ("100K<n<1M", 10**6),
    ("1M<n<10M", 10**7),
    ("10M<n<100M", 10**8),
    ("100M<n<1B", 10**9),
    ("1B<n<10B", 10**10),
    ("10B<n<100B", 10**11),
    ("100B<n<1T", 10**12),
    ("n>1T", float("inf")),
)


def size_of(rows: int) -> str:
    """The size class of a number of rows.

    >>> size_of(999), size_of(1000)
    ('n<1K', '1K<n<10K')
    """
    return next(name for name, limit in SIZES if rows < limit)


def gate_field_error(value: Any) -> str | None:
    """Why the Hub would not accept the type of a question in `extra_gated_fields`; None where it does.

    Args:
        value: A type such as "text", or a mapping with `type` and, for "select", `options`.

    >>> gate_field_error("text"), gate_field_error({"type": "select", "options": ["yes", "no"]})
    (None, None)
    >>> gate_field_error("select")
    "'select' needs options: give {type: select, options: [...]}"
    """
    table = value if isinstance(value, dict) else {"type": value}
    kind, options = table.get("type"), table.get("options")
    if not isinstance(kind, str) or kind not in GATE_FIELDS:
        return f"{kind!r} is not a type of answer; valid: {', '.join(sorted(GATE_FIELDS))}"
    if kind == "select" and not (isinstance(options, list) and options):
        return "'select' needs options: give {type: select, options: [...]}"
    return None


def known_framework(name: str) -> str:
    """A framework that `eval.yaml` may name.

    Raises:
        ValueError: the Hub does not know it.
    """
    if name not in EVALUATION_FRAMEWORKS:
        raise ValueError(
            f"the Hub knows no evaluation framework {name!r}; it has {', '.join(sorted(EVALUATION_FRAMEWORKS))}. "
            "Leave it out, or ask for an entry in EVALUATION_FRAMEWORKS of https://github.com/huggingface/huggingface.js"
        )
    return name
