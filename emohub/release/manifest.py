"""`release.toml`: every repo of a release, where it comes from, under which terms it is published."""

import difflib
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from emohub.dataset.registry import names
from emohub.errors import EmohubError, listed
from emohub.hub.kinds import FOLDERS, Kind
from emohub.hub.names import valid_name, valid_namespace
from emohub.hub.words import LICENSE_LINKS, LICENSE_NAME, LICENSES, gate_field_error, known_framework


def _license(name: str) -> str:
    if name not in LICENSES:
        near = difflib.get_close_matches(name.lower(), sorted(LICENSES), n=3, cutoff=0.4)
        hint = f" such as {' or '.join(near)}" if near else ""
        raise ValueError(f"not a license id of the Hub; give one{hint}, or other with license_name")
    return name


def _gate_field(value: str | dict[str, Any]) -> str | dict[str, Any]:
    if error := gate_field_error(value):
        raise ValueError(error)
    return value


Name = Annotated[str, AfterValidator(valid_name)]
License = Annotated[str, AfterValidator(_license)]
GateField = Annotated[str | dict[str, Any], AfterValidator(_gate_field)]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Table):
    """The release as a whole.

    Attributes:
        title: Name of the release for readers.
        version: MAJOR.MINOR.PATCH; every repo is tagged with it.
        namespace: User or organisation on the Hub, used in the cards.
        notice: A warning at the top of every card; often empty.
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
        mode: "auto" grants access on acceptance, "manual" after the authors' approval.
        fields: Question → type of its answer on the Hub, or a table `{type = "select", options = […]}`.
        button: Text of the button.
    """

    prompt: Annotated[str, StringConstraints(min_length=1)]
    mode: Literal["auto", "manual"] = "auto"
    fields: dict[str, GateField] = Field(default_factory=dict)
    button: str = ""

    def metadata(self) -> dict[str, Any]:
        """The card metadata of the gate."""
        values = {"prompt": self.prompt.strip(), "fields": self.fields, "button_content": self.button}
        return {f"extra_gated_{key}": value for key, value in values.items() if value}


class _Repo(_Table):
    private: bool = False


class _Licensed(_Repo):
    gate: str | None = None
    license: License | None = None
    license_name: Annotated[str, StringConstraints(pattern=LICENSE_NAME)] | None = None
    license_link: str | None = None

    @model_validator(mode="after")
    def _named(self) -> "_Licensed":
        if self.license == "other" and not self.license_name:
            raise ValueError("license 'other' needs license_name, in lowercase letters with hyphens")
        return self

    def licence(self) -> dict[str, str]:
        """The card metadata of the licence; with the address of its text, where the Hub's id is known to have one."""
        link = self.license_link or LICENSE_LINKS.get(self.license or "")
        stated = {"license": self.license, "license_name": self.license_name, "license_link": link}
        return {key: value for key, value in stated.items() if value}


def _known(dataset: str) -> str:
    """A dataset that a folder declares."""
    if dataset not in names():
        raise ValueError(f"no such dataset; valid are {', '.join(names())}")
    return dataset


class Dataset(_Licensed):
    """A dataset repo: the arguments of `emohub build dataset`.

    Attributes:
        script: Name of the dataset: a folder of `dataset_scripts/`.
        source: Folder or Hub id; or a table of them, each under its name in one common folder.
        configs: Configs to build; by default all that the source allows.
        allow_partial: Build although the counts differ from the published ones.
        splits: CSV with id,split that overrides hashed splits.
        choices: Options of the dataset's own, such as positives = "majority".
        evaluation_framework: Framework in `eval.yaml`, one that the Hub knows, such as "inspect-ai"; by default none.
    """

    script: Annotated[str, AfterValidator(_known)]
    source: str | dict[str, str]
    configs: tuple[str, ...] = ()
    allow_partial: bool = False
    splits: str | None = None
    choices: dict[str, str] = Field(default_factory=dict)
    evaluation_framework: Annotated[str, AfterValidator(known_framework)] | None = None


class Measure(_Table):
    """Evaluation of a model: a config and split, with human ratings, of a dataset of this release."""

    dataset: str
    config: str = "hq"
    split: str = "test"
    bootstrap: int = Field(default=1000, ge=0)
    seed: int = Field(default=0, ge=0)


class Model(_Licensed):
    """A model repo: the arguments of `emohub build model`.

    Attributes:
        heads: Folder or Hub model id with the released `model_<emotion>_best.pth`.
        backbone: Folder or Hub id of a SigLIP model.
        size: Size of the heads.
        neutral: Neutral means, as `--neutral` takes them.
        reference: Upstream's outputs, as `--reference` takes them.
        raw: Heads without a neutral mean, as `--raw` takes them.
        datasets: Datasets of this release that the heads were trained on.
        measure: Evaluation of the built model.
        published: The model's name in the paper's table of results, if its heads are the published ones.
    """

    heads: str
    backbone: str
    size: Literal["small", "large"]
    neutral: str | None = None
    reference: str | None = None
    raw: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    measure: Measure | None = None
    published: str | None = None


class Metric(_Repo):
    """A metric: a folder of `metrics/`, by default that of the repo's name, and the datasets it is designed for."""

    parent: ClassVar[str] = "metrics"

    folder: str | None = None
    datasets: tuple[str, ...] = ()


class Space(_Repo):
    """A Space: a folder of `spaces/`, and the repos of this release that it serves.

    Attributes:
        folder: Name of the folder.
        models: Models of this release; the first becomes `model` in settings.json, if the Space has that key.
        datasets: Datasets of this release, besides those of the models; the first of all becomes `data`.
        settings: Values that replace those of settings.json.
        study: study.toml of an annotation study, which goes into the Space with its items, as study/.
        results: Folder of a results dataset, which goes into the Space as results/.
        secret: Name of a secret of the Space, such as HF_TOKEN for a gated or private model. Its value is never in a
            file: `emohub publish` reads it from the environment variable of this name.
    """

    parent: ClassVar[str] = "spaces"

    folder: str
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    study: str | None = None
    results: str | None = None
    secret: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_model(cls, table: Any) -> Any:
        """Manifests of version 0.1 name one `model`."""
        if isinstance(table, dict) and "model" in table and "models" not in table:
            table = {**table, "models": [table["model"]]}
            del table["model"]
        return table


class Manifest(_Table):
    """`release.toml` as a whole. Sources that are paths are relative to the manifest's folder."""

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
        """The gate of a repo, or None; the Hub gates datasets and models."""
        return self.gates[repo.gate] if isinstance(repo, _Licensed) and repo.gate else None

    def in_namespace(self, namespace: str) -> "Manifest":
        """The same release for another user or organisation.

        Raises:
            EmohubError: the Hub does not accept the name.
        """
        about = self.release.model_copy(update={"namespace": valid_namespace(namespace)})
        return self.model_copy(update={"release": about})

    @model_validator(mode="after")
    def _links_resolve(self) -> "Manifest":
        valid: dict[str, Collection[str]] = {"gate": self.gates, "models": self.models, "datasets": self.datasets}
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
        EmohubError: invalid TOML, an unknown or missing key, a bad value, a reference to a repo that is not defined;
            every problem is listed.
    """
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EmohubError(f"{path} is not valid TOML: {error}. Correct it and run again.") from error
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, problem['loc'])) or 'manifest'}: {problem['msg']}"
            + (f"; it is {problem['input']!r}" if not isinstance(problem["input"], dict) else "")
            for problem in error.errors()
        ]
        raise EmohubError(
            f"{path} is not a valid release manifest:\n{listed(found)}\nSee the repo's own release.toml for every key."
        ) from error
