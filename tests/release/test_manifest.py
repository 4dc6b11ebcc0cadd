"""`release.toml`: the repo's own is whole, the demo's is whole, and a bad one is refused with all that is wrong."""

import tomllib
from pathlib import Path

import pytest

from emohub.errors import EmohubError
from emohub.hub.kinds import FOLDERS
from emohub.hub.templates import published
from emohub.hub.words import GATE_FIELDS, LICENSES
from emohub.release.makers.page import folder_of
from emohub.release.manifest import Dataset, Manifest, Metric, Model, Space, read_manifest
from emohub.sample import MANIFEST

ROOT = Path(__file__).parents[2]
OWN = ROOT / "release.toml"


@pytest.fixture(params=[OWN, MANIFEST], ids=["own", "demo"])
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return read_manifest(request.param)


def test_every_folder_that_it_names_is_in_the_repo(manifest: Manifest) -> None:
    for kind, name, spec in manifest.repos():
        if isinstance(spec, Metric | Space):
            assert (folder_of(name, spec) / "README.md").is_file(), (kind, name)


def test_it_names_everything_that_the_kit_makes(manifest: Manifest) -> None:
    metrics = {path.name for path in (ROOT / "metrics").iterdir() if path.is_dir() and path.name[0] not in "_."}
    assert {*manifest.metrics} == metrics
    assert {spec.script for spec in manifest.datasets.values()} == {"emonet-face", "chehre"}
    assert manifest.collection and manifest.models


def test_the_own_release_is_the_real_one() -> None:
    plan = read_manifest(OWN)
    sources = plan.datasets["emonet-face"].source
    assert isinstance(sources, dict) and {f"laion/emonet-face-{kind}" for kind in ("hq", "binary", "big")} < {
        *sources.values()
    }
    assert {spec.size for spec in plan.models.values()} == {"small", "large"}
    for spec in plan.models.values():
        assert spec.backbone == "google/siglip2-so400m-patch16-384"
        assert spec.published in published("emonet-face")["agreement"]["rows"]
    for _, name, spec in plan.repos():
        if isinstance(spec, Dataset | Model):
            assert spec.license, name
    gate = plan.gate_of(plan.datasets["chehre"])
    assert gate and gate.mode == "manual" and "not the authors, add these terms" in gate.prompt
    closed = {name for _, name, spec in plan.repos() if spec.private or plan.gate_of(spec)}
    assert closed == {"chehre"}, "everything else is open, so that its first example works for everybody"


def test_repos_come_in_the_order_of_publishing(manifest: Manifest) -> None:
    kinds = [kind for kind, _, _ in manifest.repos()]
    assert kinds == sorted(kinds, key=["dataset", "metric", "model", "space"].index)
    assert list(FOLDERS) == ["dataset", "metric", "model", "space"]


GOOD = """
[release]
title = "T"
version = "1.0.0"
namespace = "org"
[datasets.emonet-face]
script = "emonet-face"
source = "raw"
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[datasets.x]\nscript = 'emonet-face'\nsource = 'raw'\nlicense = 'by-cc'", "not a license id.*it is 'by-cc'"),
        ("[datasets.x]\nscript = 'emonet-face'\nsource = 'raw'\nlicense = 'CC-BY-4'", "such as cc-by-4.0"),
        ("[datasets.x]\nscript = 'chehre'\nsource = 'raw'\nlicense = 'other'\nlicense_name = 'Not Stated'",
         "license_name.*it is 'Not Stated'"),
        ("[datasets.x]\nscript = 'chehre'\nsource = 'raw'\nlicense = 'other'", "needs license_name"),
        ("[datasets.x]\nscript = 'affectnet'\nsource = 'raw'", r"script.*it is 'affectnet'"),
        ("[datasets.x]\nscript = 'chehre'", "source: Field required"),
        ("[datasets.x]\nscript = 'chehre'\nsource = 'raw'\ngate = 'faces'", "names 'faces'; defined here: none"),
        ("[metrics.kappa]\ndatasets = ['affectnet']", "names 'affectnet'; defined here: emonet-face"),
        ("[metrics.kappa]\ngate = 'faces'", "gate: Extra inputs are not permitted"),
        (
            "[models.m]\nheads='h'\nbackbone='b'\nsize='small'\nmeasure={dataset='hq'}",
            r"models.m.measure.dataset names 'hq'",
        ),
        ("[models.m]\nheads='h'\nbackbone='b'\nsize='medium'", r"size.*it is 'medium'"),
        ("[gates.g]\nprompt='p'\nfields={Age='number'}", r"fields.Age.*'number' is not a type.*valid: checkbox"),
        ("[gates.g]\nprompt='p'\nfields={Use='select'}", r"fields.Use.*'select' needs options"),
        ("[gates.g]\nprompt='p'\nfields={Use={type='select'}}", r"fields.Use.*'select' needs options"),
        ("[spaces.s]\nfolder='f'\nsecret='hf_value'", r"spaces.s.secret.*it is 'hf_value'"),
        ("[spaces.s]\nfolder='f'\nmodels=['m']", r"spaces.s.models names 'm'; defined here: none"),
        ("[spaces.s]\nfolder='f'\nmodel='m'", r"spaces.s.models names 'm'; defined here: none"),
        ("[spaces.s]\nfolder='f'\nmodel='m'\nmodels=['m']", r"model: Extra inputs are not permitted"),
        ("[spaces.s]\nfolder='f'\ndatasets=['d']", r"spaces.s.datasets names 'd'; defined here: emonet-face"),
        ("[metrics.page]\n[models.m]\nheads='h'\nbackbone='b'\nsize='small'\n[spaces.page]\nfolder='f'\nmodel='m'",
         "share the name 'page'"),
        ("[datasets.'a/b']\nscript='chehre'\nsource='raw'", "contains a slash"),
        ("[release", "is not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, more: str, said: str) -> None:
    file = tmp_path / "release.toml"
    file.write_text(GOOD)
    assert read_manifest(file).datasets["emonet-face"].source == "raw"
    file.write_text(GOOD + more)
    with pytest.raises(EmohubError, match=said):
        read_manifest(file)


def test_a_source_may_be_put_together_from_several() -> None:
    table = tomllib.loads(GOOD.replace('source = "raw"', 'source = { hq = "org/hq", "binary.csv" = "b.csv" }'))
    assert Manifest.model_validate(table).datasets["emonet-face"].source == {
        "hq": "org/hq",
        "binary.csv": "b.csv",
    }


def test_every_license_and_gate_field_of_the_hub_is_accepted() -> None:
    base = tomllib.loads(GOOD)
    for name in LICENSES:
        table = {**base["datasets"]["emonet-face"], "license": name, "license_name": "a-name"}
        assert Manifest.model_validate({**base, "datasets": {"emonet-face": table}})
    fields = {f"{kind}?": {"type": kind, "options": ["yes", "no"]} for kind in GATE_FIELDS}
    gate = Manifest.model_validate({**base, "gates": {"terms": {"prompt": "p", "fields": fields}}}).gates["terms"]
    assert gate.metadata()["extra_gated_fields"] == fields


def test_one_model_of_an_older_manifest_is_read_as_a_list() -> None:
    table = tomllib.loads(
        GOOD + "[models.m]\nheads='h'\nbackbone='b'\nsize='small'\n[spaces.s]\nfolder='f'\nmodel='m'"
    )
    assert Manifest.model_validate(table).spaces["s"].models == ("m",)
