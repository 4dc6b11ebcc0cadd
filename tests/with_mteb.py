"""`make test-mteb`: mteb evaluates the model's embeddings on drawn faces, through sentence-transformers.

    python tests/with_mteb.py [--folder .matrix]

mteb is installed beside the environment, without its dependencies, which are there. The task is ours, as every dataset
of mteb's own is on the Hub: which of the seven groups of emotions is strongest in an image of the demo's BIG, learned
from eight images of each. A model that sees nothing of the faces is right in about one of seven; less than half fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = ("mteb==2.26.24", "pytrec-eval-terrier==0.5.11")
LEAST = 0.5
TASK = """
import sys
import datasets, mteb, numpy as np
from mteb.abstasks import AbsTaskClassification
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
from sentence_transformers import SentenceTransformer
from emohub.data.taxonomy import EMOTIONS, GROUPS
release, least = sys.argv[1], float(sys.argv[2])

class Faces(AbsTaskClassification):
    input_column_name, samples_per_label, n_experiments = "image", 8, 5
    metadata = TaskMetadata(
        name="DrawnFaces", description="Group of the strongest emotion.", reference="https://arxiv.org/abs/2505.20033",
        dataset={"path": "emonet-face", "revision": "demo"}, type="ImageClassification", category="i2c",
        eval_splits=["test"], eval_langs=["eng-Latn"], main_score="accuracy", date=("2025-01-01", "2025-12-31"),
        domains=["Constructed"], task_subtypes=["Emotion recognition"], license="cc-by-4.0",
        annotations_creators="derived", dialect=[], modalities=["image"], sample_creation="created",
        bibtex_citation="",
    )

    def load_data(self, *given, **more):
        def label(row):
            return {"label": GROUPS.index(EMOTIONS[int(np.argmax(row["intensities"]))].group)}
        rows = datasets.load_dataset(f"{release}/datasets/emonet-face", "big")
        rows = datasets.concatenate_datasets(list(rows.values())).map(label).select_columns(["image", "label"])
        self.dataset, self.data_loaded = rows.train_test_split(0.4, seed=0), True

tower = SentenceTransformer(f"{release}/models/empathic-insight-face-small", trust_remote_code=True)
assert tower.modalities == ["image"], tower.modalities
model = SentenceTransformerEncoderWrapper(tower)
# mteb takes a model that it does not know for one of text.
model.mteb_model_meta = model.mteb_model_meta.model_copy(update={"modalities": ["image"]})
score = mteb.evaluate(model, tasks=[Faces()], cache=None).task_results[0].get_score()
print(f"mteb {mteb.__version__}: accuracy {score:.3f} in seven groups")
sys.exit(int(score < least))
"""


def main() -> None:
    """Build the demo's release, install mteb, evaluate."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where mteb is installed")
    place = parser.parse_args().folder / "mteb"
    if not place.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--target", str(place), *NEEDED], check=True)
    from emohub.release.build import build_release
    from emohub.sample import write_sample

    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder) / "raw")
        build_release(Path(folder) / "raw" / "release.toml", Path(folder) / "release")
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": f"{folder}/home", "PYTHONPATH": str(place)}
        environment.pop("HF_MODULES_CACHE", None)
        command = [sys.executable, "-c", TASK, f"{folder}/release", str(LEAST)]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
