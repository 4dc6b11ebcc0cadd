"""Groups of raters, as the papers put them together, and their order."""

from collections.abc import Callable, Mapping

HUMANS, OURS, MODELS = "Humans", "Empathic Insight Face", "Other models"
MULTI, ZERO, ASKED, BASELINES = "VLMs, multi-shot", "VLMs, zero-shot", "VLMs, other protocols", "Baselines"
KINDS = ("human", "model", "vlm", "baseline")

# The first rule that holds names the group: (kind, name, protocol) → whether.
_RULES: tuple[tuple[str, Callable[[str, str, str], bool]], ...] = (
    (HUMANS, lambda kind, name, protocol: kind == "human"),
    (BASELINES, lambda kind, name, protocol: kind == "baseline"),
    (MULTI, lambda kind, name, protocol: kind == "vlm" and protocol == "multi-shot"),
    (ZERO, lambda kind, name, protocol: kind == "vlm" and protocol == "zero-shot"),
    (ASKED, lambda kind, name, protocol: kind == "vlm"),
    (OURS, lambda kind, name, protocol: "empathic" in name.lower()),
    (MODELS, lambda kind, name, protocol: True),
)
ORDER = (HUMANS, OURS, MODELS, MULTI, ZERO, ASKED, BASELINES)


def group_of(kind: str, name: str, protocol: str) -> str:
    """The group of a rater.

    >>> group_of("vlm", "Gemini 2.0 Flash ZS", "zero-shot"), group_of("model", "Hume Face", "")
    ('VLMs, zero-shot', 'Other models')
    """
    return next(group for group, applies in _RULES if applies(kind, name, protocol))


def in_order(kinds: Mapping[str, str]) -> tuple[str, ...]:
    """Raters by kind, humans first, then by name."""
    return tuple(sorted(kinds, key=lambda name: (KINDS.index(kinds[name]), name)))
