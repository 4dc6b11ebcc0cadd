"""Fixtures of the tests of release cards."""

import json
import shutil
from pathlib import Path

import pytest

from emohub.release.build import plan_jobs
from emohub.release.license_file import write_license
from emohub.release.makers.registry import MAKERS
from emohub.release.manifest import Model, read_manifest
from emohub.release.record import Release, write_record
from tests.release.cards.inputs import MODEL, ROOT, TOWER


@pytest.fixture(scope="module")
def full(demo_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real release's cards, written over the demo's content with the real names, sources and results."""
    out = tmp_path_factory.mktemp("full")
    jobs = plan_jobs(read_manifest(ROOT / "release.toml").in_namespace("lab"), ROOT)
    for job in jobs:
        folder = out / job.repo.path
        if isinstance(job.spec, Model):
            shutil.copytree(demo_release / MODEL, folder)
            record = json.loads((folder / "conversion.json").read_text())
            record["backbone"]["source"], record["size"] = TOWER, job.spec.size
            (folder / "conversion.json").write_text(json.dumps(record))
        elif job.repo.kind == "dataset":
            shutil.copytree(demo_release / job.repo.path, folder)
        else:
            folder.mkdir(parents=True)
            MAKERS[job.repo.kind].make(folder, job.repo.name, job.spec, ROOT, out)
        MAKERS[job.repo.kind].write_card(folder, job.spec, job.context, job.metadata)
        write_license(folder)
    write_record(Release(out, "Full", "0.1.0", "lab", None, tuple(job.repo for job in jobs)))
    return out


@pytest.fixture(params=["demo", "full"])
def cards(request: pytest.FixtureRequest, demo_release: Path, full: Path) -> list[Path]:
    return sorted((demo_release if request.param == "demo" else full).glob("*/*/README.md"))
