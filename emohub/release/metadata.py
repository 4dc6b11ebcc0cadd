"""What the Hub accepts in the YAML at the top of a card, as far as this kit writes it; checked without the network.

The lists are those of the Hub's documentation (licences, card specifications) of November 2026, shortened to what a
face benchmark may need; a licence or task that is missing here and valid there is added here.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

# https://huggingface.co/docs/hub/repositories-licenses
License = Literal[
    "apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "gpl", "gpl-2.0", "gpl-3.0", "agpl-3.0", "lgpl-3.0",
    "mpl-2.0", "isc", "unlicense", "openrail", "creativeml-openrail-m", "openmdw-1.0", "c-uda", "cc", "cc0-1.0",
    "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0",
    "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
    "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0",
    "odc-by", "odbl", "pddl", "unknown", "other",
]  # fmt: skip
Task = Literal[
    "image-classification", "video-classification", "image-feature-extraction", "zero-shot-image-classification",
    "image-text-to-text", "visual-question-answering", "image-to-text", "video-text-to-text", "other",
]  # fmt: skip
Size = Literal["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"]
Creator = Literal["crowdsourced", "found", "expert-generated", "machine-generated", "no-annotation", "other"]
Relation = Literal["finetune", "adapter", "merge", "quantized"]
Colour = Literal["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]
Answer = Literal["text", "checkbox", "country", "date_picker"]


def _unique(values: list[str]) -> list[str]:
    if repeated := {value for value in values if values.count(value) > 1}:
        raise ValueError(f"{sorted(repeated)[0]!r} is there twice")
    return values


HubId = Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
Tags = Annotated[list[str], AfterValidator(_unique)]


class _Card(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)  # other keys are free; these must be right


class _Licensed(_Card):
    license: License
    license_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$")] | None = None
    license_link: str | None = None
    language: list[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]] | None = None
    tags: Tags
    extra_gated_prompt: str | None = None
    extra_gated_fields: dict[str, Answer] | None = None
    extra_gated_button_content: str | None = None

    @model_validator(mode="after")
    def _named(self) -> "_Licensed":
        if self.license == "other" and not self.license_name:
            raise ValueError("license 'other' needs license_name, in small letters with hyphens")
        return self


class DatasetMetadata(_Licensed):
    """YAML of a dataset card."""

    pretty_name: str
    task_categories: list[Task]
    size_categories: list[Size]
    annotations_creators: list[Creator]
    configs: Annotated[list[dict[str, Any]], Field(min_length=1)]
    dataset_info: dict[str, Any] | list[dict[str, Any]]

    @model_validator(mode="after")
    def _one_default(self) -> "DatasetMetadata":
        infos = self.dataset_info if isinstance(self.dataset_info, list) else [self.dataset_info]
        named, described = [one.get("config_name") for one in self.configs], [one.get("config_name") for one in infos]
        if named != described and (len(named), described) != (1, [None]):
            raise ValueError(f"configs names {named}, dataset_info {described}; they must be the same")
        if sum(bool(one.get("default")) for one in self.configs) > 1:
            raise ValueError("more than one config is the default")
        return self


class ModelMetadata(_Licensed):
    """YAML of a model card."""

    library_name: Literal["transformers"]
    pipeline_tag: Task
    base_model: HubId | list[HubId] | None = None
    base_model_relation: Relation | None = None
    datasets: list[HubId] | None = None
    metrics: list[str] | None = None

    @model_validator(mode="after")
    def _related(self) -> "ModelMetadata":
        if self.base_model_relation and not self.base_model:
            raise ValueError("base_model_relation says how the model relates to base_model, which is missing")
        return self


class SpaceMetadata(_Card):
    """YAML of a Space card, a metric's among them."""

    title: str
    emoji: Annotated[str, StringConstraints(min_length=1, max_length=8)]
    colorFrom: Colour
    colorTo: Colour
    sdk: Literal["gradio"]
    sdk_version: str
    app_file: str
    license: License
    tags: Tags | None = None
    short_description: Annotated[str, StringConstraints(max_length=60)] | None = None
    models: list[HubId] | None = None
    datasets: list[HubId] | None = None


RULES: dict[str, type[_Card]] = {"dataset": DatasetMetadata, "model": ModelMetadata, "space": SpaceMetadata}
LICENSES: tuple[str, ...] = get_args(License)


def metadata_problems(hub_type: str, metadata: dict[str, Any]) -> list[str]:
    """What the Hub would refuse, or ignore silently, in a card's metadata.

    Args:
        hub_type: "dataset", "model" or "space"; a metric is a Space.
        metadata: The YAML at the top of the card.

    Returns:
        One line a problem: key, what is wrong, what stands there.
    """
    try:
        RULES[hub_type].model_validate(metadata)
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, problem['loc'])) or 'metadata'}: {problem['msg'].removeprefix('Value error, ')}"
            + (f"; it is {problem['input']!r:.80}" if problem["loc"] and problem["type"] != "missing" else "")
            for problem in error.errors()
        ]
    return []
