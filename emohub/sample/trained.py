"""The demo's trained weights, which `training` makes: a small SigLIP vision tower and 44 heads of size Small."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

WEIGHTS = Path(__file__).with_name("weights.safetensors")
TOWER = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 8}
IMAGE = {"image_size": 64, "patch_size": 8}
STEP = 3  # numbers of upstream's layers: linear, ReLU, dropout

State = dict[str, Tensor]


def trained(file: Path = WEIGHTS) -> tuple[State, list[State]]:
    """The vision tower and the heads, float32.

    Args:
        file: Float16 weights of the whole model as the kit names them: `model.…` is the tower,
            `heads.layers.<i>.weight` (44, out, in) and `heads.layers.<i>.bias` (44, out) are the heads side by side.

    Returns:
        The tower's state, and one state per head under upstream's keys, emotions first.
    """
    weights = {name: value.float() for name, value in load_file(file).items()}
    tower = {name.removeprefix("model."): value for name, value in weights.items() if name.startswith("model.")}
    bank = {_upstream(name): value for name, value in weights.items() if name.startswith("heads.")}
    count = len(next(iter(bank.values())))
    return tower, [{name: value[head].clone() for name, value in bank.items()} for head in range(count)]


def _upstream(name: str) -> str:
    """`heads.layers.1.weight` → `layers.3.weight`."""
    _, layers, number, kind = name.split(".")
    return f"{layers}.{STEP * int(number)}.{kind}"
