"""Training all 40 heads as one bank against training 40 heads one after the other: images per second, one run.

    python -m benchmarks.bench_train [--size small] [--images 4000] [--batch-size 64] [--rounds 3] [--device auto]

The user's other way is a loop over 40 `nn.Sequential` with `torch.optim.Adam`. Both sides start from the same weights
and see the same images in the same order, without dropout, so that their losses can be compared; embeddings lie on the
device. Ratings are random: what is timed does not depend on them. One warm-up round of each side is not counted; then
the sides take turns, and the fastest round of each counts. Dropout is timed apart, on both sides.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from emohub.data.taxonomy import NAMES
from emohub.model.hubcode import config_class
from emohub.model.train.bank import new_bank
from emohub.model.train.loop import Settings, Stage, StageRun
from emohub.model.train.recipes import plan_stages
from emohub.model.train.sampling import epoch_order
from emohub.model.train.train import device_of

WIDTH = 1152
HEADS = range(len(NAMES))


def made_up(images: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and ratings of which nine tenths are 0, as in BIG."""
    rng = np.random.default_rng(0)
    ratings = rng.integers(1, 8, (images, len(NAMES))) * (rng.random((images, len(NAMES))) < 0.1)
    return rng.normal(size=(images, WIDTH)).astype(np.float32), ratings.astype(np.float32)


def separate_heads(bank: Any, dropout: float) -> list[nn.Sequential]:
    """The heads of a bank as modules of their own."""
    heads = []
    for row in HEADS:
        parts: list[nn.Module] = []
        for layer in bank.layers:
            linear = nn.Linear(layer.weight.shape[2], layer.weight.shape[1])
            linear.load_state_dict({"weight": layer.weight[row], "bias": layer.bias[row]})
            parts += [linear, nn.ReLU(), nn.Dropout(dropout)]
        heads.append(nn.Sequential(*parts[:-2]))
    return heads


def train_separately(
    heads: Sequence[nn.Sequential], embeds: torch.Tensor, stage: Stage, settings: Settings, fused: bool
) -> list[float]:
    """One epoch of every head, one after the other; their validation losses."""
    order = epoch_order(stage.samples, HEADS, settings.seed, stage.number, 0)
    losses = []
    for row, (head, sample) in enumerate(zip(heads, stage.samples, strict=True)):
        adam = torch.optim.Adam(head.parameters(), lr=settings.lr, fused=fused)
        rows = torch.from_numpy(order[row, : len(sample.train)]).to(embeds.device)
        targets = stage.targets[:, row]
        head.train()
        for batch in rows.split(settings.batch_size):
            adam.zero_grad()
            nn.functional.mse_loss(head(embeds[batch]).squeeze(1), targets[batch]).backward()
            adam.step()
        head.eval()
        held_out = torch.from_numpy(sample.validation).to(embeds.device)
        with torch.no_grad():
            losses.append(nn.functional.mse_loss(head(embeds[held_out]).squeeze(1), targets[held_out]).item())
    return losses


def timed(device: str, work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("small", "large"), default="small")
    parser.add_argument("--images", type=int, default=4_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    device, settings = device_of(args.device), Settings(batch_size=args.batch_size)
    config: Any = config_class()
    config = config.of_size(args.size)
    values, ratings = made_up(args.images)
    embeds = torch.from_numpy(values).to(device)
    labels = {(config_name, "train"): ratings for config_name in ("big", "binary")}
    stage = plan_stages(args.size, labels, HEADS, settings.seed)[0]
    stage = Stage(stage.name, 0, 1, stage.targets.to(device), stage.samples)
    seen = sum(len(sample.train) for sample in stage.samples)
    print(
        f"{args.size}, {device}, {torch.get_num_threads()} threads, batch {args.batch_size}, torch {torch.__version__}"
    )
    print(f"{seen:,} images train the 40 heads in one epoch; its validation is timed too\n")

    def start(dropout: float) -> tuple[StageRun, list[nn.Sequential]]:
        bank = new_bank(HEADS, WIDTH, config.head_hidden_sizes, dropout, settings.seed, torch.float32)
        heads = [head.to(device) for head in separate_heads(bank, dropout)]
        return StageRun(bank.to(device), HEADS, embeds, stage, settings), heads

    for dropout in (0.0, config.head_dropout):
        best: dict[str, float] = {}
        for round_number in range(args.rounds + 1):
            run, heads = start(dropout)
            bank_seconds, _ = timed(device, run.epoch)
            results = {"bank": (bank_seconds, run.curves["validation"][-1])}
            for name, fused in (("40 separate runs", False), ("40 separate runs, fused Adam", True)):
                if fused:
                    _, heads = start(dropout)
                work = partial(train_separately, heads, embeds, stage, settings, fused)
                results[name] = timed(device, work)
            if round_number:
                for name, (seconds, _) in results.items():
                    best[name] = min(best.get(name, np.inf), seconds)
        print(f"dropout {dropout}")
        for name, seconds in best.items():
            ratio = seconds / best["bank"]
            print(f"  {name:<30} {seconds:8.3f} s/epoch {seen / seconds:12,.0f} images/s   bank is {ratio:5.2f} x")
        if not dropout:
            difference = np.abs(results["bank"][1] - np.array(results["40 separate runs"][1])).max()
            print(f"  largest difference of a validation loss: {difference:.2g}")


if __name__ == "__main__":
    main()
