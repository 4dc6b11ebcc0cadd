"""`release.toml`: every repo of a release, where it comes from, under which terms it is published."""

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Literal

from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, not listed
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from emohub.errors import EmohubError, listed

Kind = Literal["dataset", "model", "metric", "space"]
# In the order of publishing: what others link to comes first. Kind → its folder in a release, and its type on the Hub.
FOLDERS: dict[Kind, str] = {"dataset": "datasets", "model": "models", "metric": "metrics", "space": "spaces"}
HUB_TYPES: dict[Kind, Literal["dataset", "model", "space"]] = {
    "dataset": "dataset",
    "model": "model",
    "metric": "space",
    "space": "space",
}


def _hub_name(name: str) -> str:
    """A name that the Hub takes, without a namespace, so that it is also one folder."""
    validate_repo_id(name)
    if "/" in name:
        raise ValueError(f"{name!r} holds a slash; give the name alone")
    return name


Name = Annotated[str, AfterValidator(_hub_name)]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Table):
    """The release as a whole.

    Attributes:
        title: What people call it.
        version: MAJOR.MINOR.PATCH; the repos are tagged with it.
        namespace: User or organisation on the Hub that the cards name.
    """

    title: str
    version: Version
    namespace: Name


class HubCollection(_Table):
    """The Hub collection that holds every repo."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=59)]  # the Hub's limit
    description: Annotated[str, StringConstraints(max_length=149)] = ""


class Gate(_Table):
    """Terms that a reader accepts before download.

    Attributes:
        prompt: The terms.
        mode: "auto" lets in whoever accepts, "manual" waits for the authors.
        fields: Question → type of the answer on the Hub.
        button: Text of the button.
    """

    prompt: Annotated[str, StringConstraints(min_length=1)]
    mode: Literal["auto", "manual"] = "auto"
    fields: dict[str, Literal["text", "checkbox", "country", "date_picker"]] = Field(default_factory=dict)
    button: str = ""


class _Repo(_Table):
    private: bool = False
    gate: str | None = None


class Dataset(_Repo):
    """A dataset repo: what `emohub build dataset` takes."""

    source: str
    script: Literal["emonet-face", "chehre"]
    configs: tuple[str, ...] = ()
    allow_partial: bool = False
    splits: str | None = None


class Model(_Repo):
    """A model repo: what `emohub build model` takes, its licence, and the datasets it was trained or measured on."""

    heads: str
    backbone: str
    size: Literal["small", "large"]
    license: str
    neutral: str | None = None
    reference: str | None = None
    datasets: tuple[str, ...] = ()


class Metric(_Repo):
    """A metric: a folder of `metrics/`, by default the one of the repo's name."""

    folder: str | None = None


class Space(_Repo):
    """A demo: a folder of `spaces/`, and the model of this release that it shows."""

    folder: str
    model: str


class Manifest(_Table):
    """All of `release.toml`. Sources that are paths are relative to the manifest's folder."""

    release: About
    collection: HubCollection | None = None
    gates: dict[Name, Gate] = Field(default_factory=dict)
    datasets: dict[Name, Dataset] = Field(default_factory=dict)
    models: dict[Name, Model] = Field(default_factory=dict)
    metrics: dict[Name, Metric] = Field(default_factory=dict)
    spaces: dict[Name, Space] = Field(default_factory=dict)

    def repos(self) -> Iterator[tuple[Kind, str, Dataset | Model | Metric | Space]]:
        """Kind, name and table of every repo, in the order of publishing."""
        for kind, folder in FOLDERS.items():
            for name, repo in getattr(self, folder).items():
                yield kind, name, repo

    @model_validator(mode="after")
    def _links_resolve(self) -> "Manifest":
        tables: dict[str, Collection[str]] = {"gate": self.gates, "model": self.models, "datasets": self.datasets}
        for kind, name, repo in self.repos():
            for field, valid in tables.items():
                value = getattr(repo, field, None) or ()
                if unknown := [
                    target for target in ((value,) if isinstance(value, str) else value) if target not in valid
                ]:
                    place, known = f"{FOLDERS[kind]}.{name}.{field}", ", ".join(valid) or "none"
                    raise ValueError(f"{place} names {unknown[0]!r}; defined here: {known}")
        spaces = {*self.metrics} & {*self.spaces}
        if spaces:
            raise ValueError(f"metrics and spaces are both Spaces on the Hub and share the name {min(spaces)!r}")
        return self


def read_manifest(path: Path) -> Manifest:
    """Read and check `release.toml`.

    Raises:
        EmohubError: no TOML, an unknown or missing key, a bad value, a link to a repo that is not defined; all are
            listed.
    """
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EmohubError(f"{path} is no TOML: {error}. Mend it and run again.") from error
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, problem['loc'])) or 'manifest'}: {problem['msg']}"
            + (f"; it is {problem['input']!r}" if not isinstance(problem["input"], dict) else "")
            for problem in error.errors()
        ]
        raise EmohubError(
            f"{path} does not describe a release:\n{listed(found)}\nSee the repo's own release.toml for every key."
        ) from error
