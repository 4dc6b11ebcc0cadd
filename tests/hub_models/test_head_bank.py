"""The bank of heads is the separate heads, and the loss is the mean over what is known."""

import pytest
import torch
from torch import nn

SIZES = {"small": ((128, 32), 0.1), "large": ((1024, 512, 256), 0.2)}


def separate_heads(heads: int, sizes: list[int], dropout: float) -> list[nn.Sequential]:
    def one() -> nn.Sequential:
        layers: list[nn.Module] = []
        for size_in, size_out in zip(sizes[:-2], sizes[1:-1], strict=True):
            layers += [nn.Linear(size_in, size_out), nn.ReLU(), nn.Dropout(dropout)]
        return nn.Sequential(*layers, nn.Linear(sizes[-2], 1)).eval()

    return [one() for _ in range(heads)]


def copied(bank, heads: list[nn.Sequential]) -> None:
    for i, layer in enumerate(bank.layers):
        linear = [head[3 * i] for head in heads]
        layer.weight.data.copy_(torch.stack([one.weight for one in linear]))
        layer.bias.data.copy_(torch.stack([one.bias for one in linear]))


@pytest.mark.parametrize("size", SIZES)
def test_full_size_bank_equals_separate_heads(code, size):
    hidden_sizes, dropout = SIZES[size]
    torch.manual_seed(3)
    bank = code.HeadBank(44, 1152, list(hidden_sizes), dropout).eval()
    heads = separate_heads(44, [1152, *hidden_sizes, 1], dropout)
    copied(bank, heads)
    embeds = torch.randn(8, 1152)
    with torch.no_grad():
        wanted = torch.cat([head(embeds) for head in heads], dim=1)
        torch.testing.assert_close(bank(embeds), wanted, rtol=0, atol=1e-6)


def test_gradients_equal_those_of_separate_heads(code):
    torch.manual_seed(4)
    bank = code.HeadBank(5, 12, [8, 4], 0.1).double().eval()
    heads = [head.double() for head in separate_heads(5, [12, 8, 4, 1], 0.1)]
    copied(bank, heads)
    embeds, labels = torch.randn(7, 12).double(), torch.rand(7, 5).double()
    (bank(embeds) - labels).square().mean(0).sum().backward()
    for i, head in enumerate(heads):
        (head(embeds)[:, 0] - labels[:, i]).square().mean().backward()
    for i, layer in enumerate(bank.layers):
        wanted = torch.stack([head[3 * i].weight.grad for head in heads])
        torch.testing.assert_close(layer.weight.grad, wanted, rtol=0, atol=1e-12)


def test_neutral_mean_is_taken_off(make, pixels):
    model = make()
    output = model(pixels)
    raw = model.heads.raw(output.image_embeds)
    torch.testing.assert_close(output.logits, raw[:, :40] - model.heads.neutral_mean[:40])
    torch.testing.assert_close(output.dimensions, raw[:, 40:] - model.heads.neutral_mean[40:])


def test_unknown_labels_do_not_count(code):
    logits = torch.tensor([[1.0, 5.0, 2.0], [0.0, 1.0, 4.0]], requires_grad=True)
    labels = torch.tensor([[0.0, float("nan"), 4.0], [float("nan"), float("nan"), 4.0]])
    loss = code.masked_loss(logits, labels, "regression")
    assert loss.item() == pytest.approx((1 + 4 + 0) / 3)
    loss.backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[2 / 3, 0, -4 / 3], [0, 0, 0]]))


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_a_batch_without_known_labels_gives_zero(code, problem):
    logits = torch.ones(2, 3, requires_grad=True)
    loss = code.masked_loss(logits, torch.full((2, 3), float("nan")), problem)
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()


def test_classes_without_known_labels_give_zero(code):
    logits = torch.ones(2, 3, requires_grad=True)
    loss = code.masked_loss(logits, torch.tensor([-100, -100]), "single_label_classification")
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()


@pytest.mark.parametrize(
    ("problem", "labels", "wanted"),
    [
        ("regression", torch.rand(3, 4), nn.MSELoss()),
        (None, torch.rand(3, 4), nn.MSELoss()),
        ("multi_label_classification", torch.tensor([[0.0, 1, 1, 0]] * 3), nn.BCEWithLogitsLoss()),
        ("single_label_classification", torch.tensor([0, 3, 1]), nn.CrossEntropyLoss()),
        (None, torch.tensor([0, 3, 1]), nn.CrossEntropyLoss()),
    ],
)
def test_problem_types(make, pixels, problem, labels, wanted):
    model = make(num_labels=4, problem_type=problem)
    output = model(pixels, labels=labels)
    torch.testing.assert_close(output.loss, wanted(output.logits, labels))
    output.loss.backward()
    assert all(parameter.grad is not None for parameter in model.heads.parameters())


def test_labels_of_another_shape_are_refused(make, pixels):
    with pytest.raises(ValueError, match=r"labels are \(3, 5\), must be \(3, 4\)"):
        make(num_labels=4)(pixels, labels=torch.rand(3, 5))


def test_unknown_problem_type_is_refused(code):
    with pytest.raises(ValueError, match="problem_type is 'ranking'; valid: "):
        code.masked_loss(torch.ones(3, 4), torch.ones(3, 4), "ranking")
