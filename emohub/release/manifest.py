"""`release.toml`: every repo of a release, where it comes from, under which terms it is published."""

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from huggingface_hub.utils import validate_repo_id
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from emohub.dataset.registry import names
from emohub.errors import EmohubError, listed
from emohub.hub.kinds import FOLDERS, Kind
from emohub.release.metadata import Answer, License


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
        notice: What every reader of every card must know first; often nothing.
    """

    title: str
    version: Version
    namespace: Name
    notice: str = ""


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
    fields: dict[str, Answer] = Field(default_factory=dict)
    button: str = ""

    def metadata(self) -> dict[str, Any]:
        """The terms as a card's metadata say them."""
        told = {"prompt": self.prompt.strip(), "fields": self.fields, "button_content": self.button}
        return {f"extra_gated_{key}": value for key, value in told.items() if value}


class _Repo(_Table):
    private: bool = False


class _Licensed(_Repo):
    gate: str | None = None
    license: License | None = None
    license_name: str | None = None
    license_link: str | None = None

    @model_validator(mode="after")
    def _named(self) -> "_Licensed":
        if self.license == "other" and not self.license_name:
            raise ValueError("license 'other' needs license_name, in small letters with hyphens")
        return self

    def licence(self) -> dict[str, str]:
        """What is said of the licence, as a card's metadata."""
        return self.model_dump(include={"license", "license_name", "license_link"}, exclude_none=True)


def _known(dataset: str) -> str:
    """A dataset that a folder declares."""
    if dataset not in names():
        raise ValueError(f"no such dataset; valid are {', '.join(names())}")
    return dataset


class Dataset(_Licensed):
    """A dataset repo: what `emohub build dataset` takes.

    Attributes:
        script: Which dataset: a folder of `dataset_scripts/`.
        source: Folder or Hub id; or a table of them, each under the name that it gets in one common folder.
        configs: What to build; by default all that the source allows.
        allow_partial: Build although the published data count more or less.
        splits: CSV with id,split that overrides hashed splits.
        choices: Options of the dataset's own, such as positives = "majority".
    """

    script: Annotated[str, AfterValidator(_known)]
    source: str | dict[str, str]
    configs: tuple[str, ...] = ()
    allow_partial: bool = False
    splits: str | None = None
    choices: dict[str, str] = Field(default_factory=dict)


class Measure(_Table):
    """What a model is measured on: a config of a dataset of this release that has human ratings."""

    dataset: str
    config: str = "hq"
    split: str = "test"
    bootstrap: int = Field(default=1000, ge=0)
    seed: int = Field(default=0, ge=0)


class Model(_Licensed):
    """A model repo: what `emohub build model` takes.

    Attributes:
        heads: Folder or Hub model id with the released `model_<emotion>_best.pth`.
        backbone: Folder or Hub id of a SigLIP model.
        size: Of the heads.
        neutral: Neutral means, as `--neutral` takes them.
        reference: Upstream's outputs, as `--reference` takes them.
        datasets: Datasets of this release that the heads were trained on.
        measure: What to measure the built model on.
        published: The model's name in the paper's table of results, where its heads are the paper's.
    """

    heads: str
    backbone: str
    size: Literal["small", "large"]
    neutral: str | None = None
    reference: str | None = None
    datasets: tuple[str, ...] = ()
    measure: Measure | None = None
    published: str | None = None


class Metric(_Repo):
    """A metric: a folder of `metrics/`, by default that of the repo's name, and the datasets that it is made for."""

    folder: str | None = None
    datasets: tuple[str, ...] = ()


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

    def gate_of(self, repo: Dataset | Model | Metric | Space) -> Gate | None:
        """The terms that a repo is behind; the Hub has them for datasets and models."""
        return self.gates[repo.gate] if isinstance(repo, _Licensed) and repo.gate else None

    def in_namespace(self, namespace: str) -> "Manifest":
        """The same release for another user or organisation.

        Raises:
            EmohubError: no name that the Hub takes.
        """
        try:
            about = About.model_validate({**self.release.model_dump(), "namespace": namespace})
        except ValidationError as error:
            raise EmohubError(
                f"namespace is {namespace!r}: {error.errors()[0]['msg']}. Give one such as ORG."
            ) from error
        return self.model_copy(update={"release": about})

    @model_validator(mode="after")
    def _links_resolve(self) -> "Manifest":
        valid: dict[str, Collection[str]] = {"gate": self.gates, "model": self.models, "datasets": self.datasets}
        valid["measure.dataset"] = self.datasets
        for kind, name, repo in self.repos():
            for field, known in valid.items():
                if unknown := [target for target in _named_in(repo, field) if target not in known]:
                    place = f"{FOLDERS[kind]}.{name}.{field}"
                    raise ValueError(f"{place} names {unknown[0]!r}; defined here: {', '.join(known) or 'none'}")
        if shared := {*self.metrics} & {*self.spaces}:
            raise ValueError(f"metrics and spaces are both Spaces on the Hub and share the name {min(shared)!r}")
        return self


def _named_in(repo: Any, field: str) -> tuple[str, ...]:
    for part in field.split("."):
        repo = getattr(repo, part, None)
    return (repo,) if isinstance(repo, str) else repo or ()


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
