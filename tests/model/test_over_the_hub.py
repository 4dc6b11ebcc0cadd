"""A converted model served as a Hub repo, used by the real clients in a fresh process."""

import json
import os
import subprocess
import sys

import pytest

from tests.hub_server import serve

USE = """
import json, sys
sys.modules["emohub"] = None  # importing it raises
from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline, pipelines
image, out = sys.argv[1:]
options = {"trust_remote_code": True, "top_k": 40}
answers = [pipeline("image-classification", model="org/face", **options)(image)]
processor = AutoImageProcessor.from_pretrained("org/face")

class Refusing:  # as on transformers 5.5 to 5.14 without torchvision
    def __getattribute__(self, name):
        raise ImportError(name)

pipelines.AutoImageProcessor = Refusing()
answers.append(pipeline("image-classification", model="org/face", **options)(image))
AutoModelForImageClassification.from_pretrained("org/face", trust_remote_code=True).save_pretrained(out)
processor.save_pretrained(out)
answers.append(pipeline("image-classification", model=out, **options)(image))
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def used(converted, faces, tmp_path_factory):
    """What the process printed, and the folder it saved the model to."""
    work = tmp_path_factory.mktemp("hub")
    with serve({"models/org/face": converted[0]}) as endpoint:
        environment = {
            **{key: value for key, value in os.environ.items() if key not in ("HF_MODULES_CACHE", "HF_HUB_OFFLINE")},
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(work / "hf"),
            "HF_HUB_DISABLE_XET": "1",
        }
        command = [sys.executable, "-c", USE, str(faces / "00.png"), str(work / "saved")]
        done = subprocess.run(command, env=environment, cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), work / "saved"


def test_every_way_gives_the_same_scores(used, converted, faces):
    from transformers import pipeline

    wanted = pipeline("image-classification", model=str(converted[0]), trust_remote_code=True, top_k=40)
    assert used[0] == [wanted(str(faces / "00.png"))] * 3


def test_what_was_saved_is_a_repo_of_its_own(used, converted):
    """It names its own code, not that of the repo it came from."""
    folder = used[1]
    assert {path.name for path in folder.glob("*.py")} == {path.name for path in converted[0].glob("*.py")}
    assert "org/face" not in json.dumps(json.loads((folder / "config.json").read_text())["auto_map"])
