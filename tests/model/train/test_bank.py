"""The bank against heads that are trained one by one with what PyTorch has."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from emohub.model.train import bank as bank_module
from emohub.model.train.bank import Plateau, head_losses, new_bank, validation_losses
from emohub.model.train.loop import Settings, Stage, StageRun
from emohub.model.train.sampling import Use, capped_buckets, intensity_buckets, pick, stream, stream_seed

HEADS, IMAGES, WIDTH, HIDDEN = [3, 7, 12, 30], 240, 16, [12, 6]
SETTINGS = Settings(seed=5, lr=1e-2, patience=2, batch_size=16)
EPOCHS = 20


@pytest.fixture(scope="module")
def data():
    """Embeddings, targets with unknown entries, and what each head trains on; heads have different numbers of it."""
    rng = np.random.default_rng(0)
    embeds = rng.normal(size=(IMAGES, WIDTH))
    targets = np.clip(embeds @ rng.normal(size=(WIDTH, 4)) + 2 + rng.normal(size=(IMAGES, 4)), 0, 7)
    targets[::7] = np.nan
    targets[: IMAGES // 2, 1] = np.nan
    samples = [
        pick(intensity_buckets(targets[:, i]), 8, capped_buckets, stream(5, Use.PICK, 0, head))
        for i, head in enumerate(HEADS)
    ]
    assert len({len(sample.train) for sample in samples}) > 1
    return torch.from_numpy(embeds), torch.from_numpy(targets), samples


def train(data, heads=HEADS, dropout=0.0, epochs=EPOCHS):
    embeds, targets, samples = data
    columns = [HEADS.index(head) for head in heads]
    bank = new_bank(heads, WIDTH, HIDDEN, dropout, SETTINGS.seed, torch.float64)
    stage = Stage("test", 0, epochs, targets[:, columns], [samples[i] for i in columns])
    run = StageRun(bank, heads, embeds, stage, SETTINGS)
    for _ in range(epochs):
        run.epoch()
    return run


class Masked(nn.Module):
    """Dropout whose factors come from outside."""

    factors = None

    def forward(self, hidden):
        return hidden if self.factors is None or not self.training else hidden * self.factors


def separate(data, row, dropout=0.0, epochs=EPOCHS):
    """One head the usual way; returns it, its best weights, its losses and its learning rate."""
    embeds, targets, samples = data
    head, sample = HEADS[row], samples[row]
    sizes = [WIDTH, *HIDDEN]
    layers = [part for a, b in zip(sizes, HIDDEN, strict=False) for part in (nn.Linear(a, b), nn.ReLU(), Masked())]
    model = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], 1)).double()
    generator = torch.Generator().manual_seed(stream_seed(SETTINGS.seed, Use.INIT, head))
    with torch.no_grad():
        for layer in (part for part in model if isinstance(part, nn.Linear)):
            bound = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                parameter.uniform_(-bound, bound, generator=generator)
    adam = torch.optim.Adam(model.parameters(), lr=SETTINGS.lr)
    plateau = ReduceLROnPlateau(adam, factor=SETTINGS.factor, patience=SETTINGS.patience)
    best, losses, rates = (np.inf, None), [], []
    for epoch in range(epochs):
        rates.append(adam.param_groups[0]["lr"])
        order = stream(SETTINGS.seed, Use.ORDER, 0, epoch, head).permutation(sample.train)
        drops = torch.Generator().manual_seed(stream_seed(SETTINGS.seed, Use.DROPOUT, 0, epoch, head))
        model.train()
        for start in range(0, len(order), SETTINGS.batch_size):
            batch = order[start : start + SETTINGS.batch_size]
            factors = torch.empty(SETTINGS.batch_size, sum(HIDDEN), dtype=torch.float64)
            factors = (factors.bernoulli_(1 - dropout, generator=drops) / (1 - dropout))[: len(batch)]
            model[2].factors, model[5].factors = factors[:, : HIDDEN[0]], factors[:, HIDDEN[0] :]
            adam.zero_grad()
            nn.functional.mse_loss(model(embeds[batch]).squeeze(1), targets[batch, row]).backward()
            adam.step()
        model.eval()
        with torch.no_grad():
            wanted = targets[sample.validation, row]
            losses.append(nn.functional.mse_loss(model(embeds[sample.validation]).squeeze(1), wanted).item())
        if losses[-1] < best[0]:
            best = (losses[-1], copy.deepcopy(model.state_dict()))
        plateau.step(losses[-1])
    return model, best[1], losses, rates


def distance(bank_parameters, row, state):
    values = [value for value in state.values()]
    return max((mine[row] - value).abs().max().item() for mine, value in zip(bank_parameters, values, strict=True))


@pytest.fixture(params=["side by side", "one by one"])
def grouped(request, monkeypatch):
    """Both ways to go through the heads; on a CPU, their size decides."""
    if request.param == "one by one":
        monkeypatch.setattr(bank_module, "CACHE", 0)
    return {"side by side": 1, "one by one": len(HEADS)}[request.param]


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_bank_equals_separate_training(data, dropout, grouped):
    run = train(data, dropout=dropout)
    assert len(run.groups) == grouped
    moved = new_bank(HEADS, WIDTH, HIDDEN, dropout, SETTINGS.seed, torch.float64)
    for row in range(len(HEADS)):
        model, best, losses, rates = separate(data, row, dropout)
        assert distance(run.bank.parameters(), row, model.state_dict()) < 1e-10
        assert distance(run.best, row, best) < 1e-10
        assert distance(moved.parameters(), row, model.state_dict()) > 1e-2, "nothing was learned"
        assert np.allclose(np.stack(run.curves["validation"])[:, row], losses, rtol=0, atol=1e-10)
        assert np.allclose(np.stack(run.curves["lr"])[:, row], rates, rtol=1e-12)
        assert run.best_epoch[row] == np.argmin(losses) + 1
    final = np.stack(run.curves["lr"])[-1]
    assert len(set(final)) > 1, "learning rates should have parted in this test"
    run.finish()
    assert distance(run.bank.parameters(), row, best) < 1e-10


def test_a_head_does_not_depend_on_the_others(data):
    together = train(data, dropout=0.2)
    for row, head in enumerate(HEADS):
        alone = train(data, heads=[head], dropout=0.2)
        for mine, other in zip(together.bank.parameters(), alone.bank.parameters(), strict=True):
            assert (mine[row] - other[0]).abs().max() < 1e-10


def test_best_checkpoints_are_per_head(data):
    run = train(data)
    assert len(set(run.best_epoch.tolist())) > 1
    run.finish()
    losses = validation_losses(run.bank, *data)
    assert np.allclose(losses, np.stack(run.curves["validation"]).min(0), rtol=0, atol=1e-12)


def test_unknown_labels_get_no_gradient(data):
    embeds, targets, samples = data
    found = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    wanted = torch.randn(3, 5, dtype=torch.float64)
    known = torch.tensor([[1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]).bool()
    losses = head_losses(found, torch.where(known, wanted, torch.nan), known)
    losses.sum().backward()
    assert torch.equal(found.grad != 0, known)
    assert losses[2] == 0
    assert torch.allclose(losses[0], nn.functional.mse_loss(found[0, known[0]], wanted[0, known[0]]))
    # Images that only others know: whatever they are, the head stays the same.
    unknown = targets[:, 1].isnan()
    changed = train((torch.where(unknown[:, None], embeds + 3, embeds), targets, samples), heads=[7])
    same = train(data, heads=[7])
    for mine, other in zip(changed.bank.parameters(), same.bank.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_head_without_images_keeps_its_weights(data):
    embeds, targets, samples = data
    empty = pick(np.full(IMAGES, -1), 8, capped_buckets, np.random.default_rng(0))
    run = train((embeds, targets, [samples[0], empty, *samples[2:]]))
    start = new_bank(HEADS, WIDTH, HIDDEN, 0.0, SETTINGS.seed, torch.float64)
    run.finish()
    for mine, other in zip(run.bank.parameters(), start.parameters(), strict=True):
        assert torch.equal(mine[1], other[1])
    assert np.isnan(np.stack(run.curves["validation"])[:, 1]).all() and run.best_epoch[1] == 0


def test_plateau_is_pytorchs():
    rng = np.random.default_rng(0)
    losses = np.maximum(0.5, np.linspace(3, -1, 80))[:, None] + rng.normal(size=(80, 6)) * [0, 1e-5, 0.01, 0.1, 1, 3]
    mine = Plateau(6, 5e-5, 0.2, 3)
    adams = [torch.optim.Adam([torch.zeros(1)], lr=5e-5) for _ in range(6)]
    theirs = [ReduceLROnPlateau(adam, factor=0.2, patience=3) for adam in adams]
    for row in losses:
        mine.step(row)
        for plateau, loss in zip(theirs, row, strict=True):
            plateau.step(loss)
        assert mine.lr.tolist() == pytest.approx([adam.param_groups[0]["lr"] for adam in adams], rel=1e-12)
    assert mine.lr.min() < 1e-7


def test_a_checkpoint_fits_both_ways_to_go_through_the_heads(data, monkeypatch):
    whole = train(data, epochs=3, dropout=0.2)
    monkeypatch.setattr(bank_module, "CACHE", 0)
    single = train(data, epochs=0, dropout=0.2)
    single.load(whole.state(), {name: np.stack(values) for name, values in whole.curves.items()})
    for name, value in single.state().items():
        assert torch.equal(value, whole.state()[name]), name
    for run in (whole, single):
        run.epoch()
    for name, value in single.state().items():
        assert torch.allclose(value, whole.state()[name], rtol=0, atol=1e-12), name
