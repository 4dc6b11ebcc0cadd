"""The demo's model learns from drawn faces: `python -m emohub.sample.training FILE`, ten minutes on one core.

A small SigLIP vision tower and 44 heads of size Small are trained from scratch and kept as float16; `heads` makes
upstream's layouts of them. Every random number comes from a seed, so that the first steps can be repeated in seconds
and compared with the losses that the file records.
"""

import hashlib
import io
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from emohub.data.prompts import AGES, ETHNICITIES, GENDERS
from emohub.data.taxonomy import DIMENSIONS, NAMES
from emohub.drawing import draw_face
from emohub.drawing.expressions import EXPRESSIONS, Expression
from emohub.model.hubcode import config_class, model_class

from .shown import shown
from .trained import IMAGE, TOWER

DRAWN = 144  # px: enough for crops that are finer than the tower's image
NEUTRAL_SHARE, WEAKEST = 0.08, 0.25
RECORDED = 4  # first steps whose losses the file keeps
PACKAGES = ("numpy", "pillow", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the model is trained.

    Attributes:
        seed: Of weights, order and crops.
        faces: How many are drawn.
        steps: How many batches are learned from.
        batch: Faces in one.
        lr: Highest learning rate of AdamW, for vectors and heads.
        matrix_lr: Highest learning rate of Muon, for the tower's matrices; it needs a third of AdamW's steps.
        warm_up: Steps until the learning rates are at their highest; then they fall to 0.
        movements: Weight of a second loss: what the face does, read off the embedding by a layer that is not kept.
    """

    seed: int = 0
    faces: int = 6000
    steps: int = 1600
    batch: int = 64
    lr: float = 2e-3
    matrix_lr: float = 1e-2
    warm_up: int = 150
    movements: float = 3.0


@dataclass(frozen=True, slots=True)
class Face:
    """A drawn face and what it shows.

    Attributes:
        pixels: (3, `DRAWN`, `DRAWN`) uint8.
        scores: (44,), see `shown`.
        movements: (28,), see `Expression`, in units of their spread over the emotions.
    """

    pixels: Tensor
    scores: Tensor
    movements: Tensor


def draw(number: int, stream: str = "train") -> Face:
    """Face `number` of a stream: anyone, any emotion at any strength, as a picture of any quality."""
    rng = random.Random(f"{stream} {number}")
    emotion = rng.choice(NAMES)
    intensity = 0.0 if rng.random() < NEUTRAL_SHARE else rng.uniform(WEAKEST, 1)
    picture = draw_face(
        emotion,
        age=rng.choice(AGES),
        ethnicity=rng.choice([*ETHNICITIES]),
        gender=rng.choice([*GENDERS]),
        intensity=intensity,
        seed=rng.getrandbits(32),
        size=DRAWN,
    )
    pixels = torch.from_numpy(np.array(_worn(picture, rng))).permute(2, 0, 1)
    return Face(pixels, torch.from_numpy(shown(emotion, intensity)), _MOVEMENTS[emotion] * intensity)


def _worn(picture: Image.Image, rng: random.Random) -> Image.Image:
    """The picture after a resize and a JPEG, mostly good ones."""
    side = rng.choice((DRAWN, DRAWN, rng.randrange(DRAWN // 2, DRAWN)))
    file = io.BytesIO()
    picture.resize((side, side), Image.Resampling.BICUBIC).save(file, "JPEG", quality=rng.randrange(50, 96))
    return Image.open(file).convert("RGB").resize((DRAWN, DRAWN), Image.Resampling.BICUBIC)


def _movements() -> dict[str, Tensor]:
    neutral = np.array(astuple(Expression()))
    moves = {name: np.array(astuple(EXPRESSIONS[name])) - neutral for name in NAMES}
    spread = np.std([*moves.values()], axis=0) + 0.1  # rare movements are not blown up
    return {name: torch.tensor(move / spread, dtype=torch.float32) for name, move in moves.items()}


_MOVEMENTS = _movements()


def crops(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Crops as a face detector may give them: closer, wider, shifted or squeezed; what lies outside is grey.

    Args:
        pixels: (batch, 3, side, side) uint8.
        generator: Where chance comes from; it moves on.

    Returns:
        (batch, 3, height, width) float32, -1 to 1, as the tower's image processor gives them.
    """
    count, side = len(pixels), IMAGE["image_size"]
    zoom = torch.empty(count, 1).uniform_(0.85, 1.2, generator=generator)
    squeeze = torch.empty(count, 1).uniform_(1, 1.15, generator=generator)
    shift = torch.randn(count, 2, generator=generator) * 0.05
    scale = torch.cat([zoom * squeeze, zoom], 1)
    placed = torch.cat([torch.diag_embed(scale), shift.unsqueeze(2)], 2)
    fine = F.affine_grid(placed, [count, 3, 2 * side, 2 * side], align_corners=False)
    return F.avg_pool2d(F.grid_sample(pixels / 127.5 - 1, fine, align_corners=False), 2)


class Training:
    """A training under way: iterate over it to learn, one batch after the other.

    Args:
        recipe: How.

    Attributes:
        model: An `EmpathicInsightFaceForImageClassification`; its neutral means stay 0.
    """

    def __init__(self, recipe: Recipe):
        self.recipe, self.faces = recipe, dict[int, Face]()
        self.generator = torch.Generator().manual_seed(recipe.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.model = new_model()
            self.movements = nn.Linear(TOWER["hidden_size"], len(_MOVEMENTS[NAMES[0]]))
        self.optimizers = self._optimizers()
        self.schedules = [torch.optim.lr_scheduler.LambdaLR(each, self._rate) for each in self.optimizers]

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        matrices = [value for value in self.model.model.parameters() if value.ndim == 2]
        known = {id(value) for value in matrices}
        rest = [value for value in self._parameters() if id(value) not in known]
        muon = torch.optim.Muon(matrices, self.recipe.matrix_lr, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
        return [torch.optim.AdamW(rest, self.recipe.lr, weight_decay=0.05), muon]

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.model.parameters(), *self.movements.parameters()]

    def _rate(self, step: int) -> float:
        """What the highest learning rate is multiplied by."""
        return min((step + 1) / self.recipe.warm_up, (self.recipe.steps - step) / self.recipe.steps)

    def __iter__(self) -> Iterator[float]:
        """Learn from each batch in turn.

        Yields:
            The mean squared error of the scores on each batch, before its step.
        """
        for batch in self._batches():
            yield self._step([self._face(number) for number in batch])

    def _batches(self) -> Iterator[list[int]]:
        """Numbers of faces: all of them in random order, again and again."""
        recipe, order = self.recipe, list[int]()
        for _ in range(recipe.steps):
            if len(order) < recipe.batch:
                order += torch.randperm(recipe.faces, generator=self.generator).tolist()
            yield order[: recipe.batch]
            del order[: recipe.batch]

    def _face(self, number: int) -> Face:
        """Drawn when it is first needed: the first steps need few."""
        if number not in self.faces:
            self.faces[number] = draw(number)
        return self.faces[number]

    def _step(self, faces: Sequence[Face]) -> float:
        output = self.model(crops(torch.stack([face.pixels for face in faces]), self.generator))
        found, wanted = torch.cat([output.logits, output.dimensions], 1), torch.stack([face.scores for face in faces])
        loss = F.mse_loss(found, wanted)
        movements = torch.stack([face.movements for face in faces])
        second = F.mse_loss(self.movements(output.image_embeds), movements)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        (loss + self.recipe.movements * second).backward()
        nn.utils.clip_grad_norm_(self._parameters(), 1.0)
        for optimizer, schedule in zip(self.optimizers, self.schedules, strict=True):
            optimizer.step()
            schedule.step()
        return loss.item()


def new_model() -> Any:
    """The model before training; in evaluation mode, as dropout is not needed where faces are drawn anew."""
    names = [dimension.name for dimension in DIMENSIONS]
    config = config_class().of_size("small", vision_config={**TOWER, **IMAGE}, dimensions=names)  # type: ignore[attr-defined]  # of the Hub folder
    return model_class()(config).eval()


def digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 over names and values."""
    hashed = hashlib.sha256()
    for name in sorted(weights):
        hashed.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    return hashed.hexdigest()


def main(out: Path, recipe: Recipe = Recipe()) -> None:  # noqa: B008  # frozen
    """Train, and write weights and how they came about."""
    training, losses = Training(recipe), []
    with tqdm(total=recipe.steps, desc="Training", unit="step") as progress:
        for loss in training:
            losses.append(loss)
            progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}", refresh=False)
            progress.update()
    state = training.model.state_dict()
    weights = {name: value.half().contiguous() for name, value in state.items() if name != "heads.neutral_mean"}
    about = {
        "recipe": asdict(recipe),
        "first_losses": [round(loss, 6) for loss in losses[:RECORDED]],
        "last_loss": round(float(np.mean(losses[-100:])), 4),
        "sha256": digest(weights),
        "versions": {name: version(name) for name in PACKAGES},
    }
    save_file(weights, out, {name: json.dumps(value) for name, value in about.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
