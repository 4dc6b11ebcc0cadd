"""Neutral means from every kind of source, and upstream's real outputs."""

import json
import math

import pytest
import torch

from emohub.data.taxonomy import DIMENSIONS, EMOTIONS, NAMES
from emohub.errors import BuildError
from emohub.model.convert.neutral import read_neutral
from emohub.model.convert.outputs import Score, neutral_offset, read_outputs

ALL = [*NAMES, *(dimension.name for dimension in DIMENSIONS)]
FERD = "data/empathic_insight_face/ferd.jsonl"


def refusal(path, names=NAMES) -> str:
    with pytest.raises(BuildError) as caught:
        read_neutral(path, names)
    return str(caught.value)


def test_ferd_gives_the_constants_exactly(shared):
    """raw − constant is the stored number in every one of the 76 × 44 cases, to the last bit."""
    neutral = read_neutral(shared / FERD, ALL)
    assert (neutral.kind, neutral.residual, len(neutral.means)) == ("outputs", 0.0, 44)
    outputs = read_outputs(shared / FERD)
    assert len(outputs) == 76
    for output in outputs:
        for name, score in output.scores.items():
            assert score.raw - neutral.means[name] == score.mean_subtracted
    assert neutral.means["Concentration"] == 4.073405725079424
    assert neutral.means["Infatuation"] == 0.7002622646553551


def test_ferd_softmax_is_over_the_forty_emotions(shared, code_bank):
    """Raw scores, through the model's own subtraction in float32, give the stored softmax to 1e-6."""
    outputs = read_outputs(shared / FERD)
    means = read_neutral(shared / FERD, ALL).means
    bank = code_bank(torch.tensor([means[name] for name in NAMES]))
    raw = torch.tensor([[output.scores[name].raw for name in NAMES] for output in outputs])
    wanted = torch.tensor([[output.scores[name].softmax for name in NAMES] for output in outputs])
    torch.testing.assert_close(bank(raw).softmax(1), wanted, rtol=0, atol=1e-6)
    assert all(output.scores[d.name].softmax is None for output in outputs for d in DIMENSIONS)


@pytest.fixture
def code_bank():
    """A bank that hands on its inputs, minus the neutral mean: 40 heads, each one weight of 1."""
    from emohub.model.hubcode import model_class

    def build(means):
        model_type = model_class()
        tower = {"hidden_size": 40, "num_attention_heads": 4, "num_hidden_layers": 1, "intermediate_size": 8}
        model = model_type(model_type.config_class(vision_config=tower, head_hidden_sizes=[2])).eval()
        first, last = model.heads.layers
        for parameter in model.heads.parameters():
            torch.nn.init.zeros_(parameter)
        for i in range(40):  # relu(x) − relu(−x) is x
            first.weight.data[i, :, i] = torch.tensor([1.0, -1.0])
            last.weight.data[i, 0] = torch.tensor([1.0, -1.0])
        model.heads.neutral_mean.copy_(means)
        return model.heads.requires_grad_(False)

    return build


def test_offset_of_rounded_numbers():
    scores = [Score(raw, raw - 0.7654321, None) for raw in (1e-9, 3.3, 6.9, 1e6)]
    assert neutral_offset(scores) == (0.7654321, 0.0)
    with pytest.raises(ValueError, match="not one constant"):
        neutral_offset([Score(1.0, 0.5, None), Score(2.0, 1.0, None)])


@pytest.mark.parametrize("form", ["head_file", "slug", "name"])
def test_json(tmp_path, form):
    path = tmp_path / "means.json"
    path.write_text(json.dumps({getattr(item, form): {"mean": 0.25} for item in (*EMOTIONS, *DIMENSIONS)}))
    neutral = read_neutral(path, ALL)
    assert neutral.means == dict.fromkeys(ALL, 0.25)
    assert (neutral.kind, neutral.source) == ("table", "means.json")


def test_csv(tmp_path):
    path = tmp_path / "means.csv"
    rows = [f'"{name}",{i / 8}' for i, name in enumerate(NAMES)]
    path.write_text("\n".join(["\ufeffEmotion, Mean", *rows]))
    assert read_neutral(path, NAMES).means == {name: i / 8 for i, name in enumerate(NAMES)}


def test_table_problems_are_listed(tmp_path):
    path = tmp_path / "means.json"
    table = {name: 0.0 for name in NAMES if name != "Awe"}
    path.write_text(json.dumps({**table, "joyness": 1, "anger": 2, "Fear": None, "Pain": math.inf}))
    message = refusal(path)
    for part in ("'joyness': Unknown emotion", "'anger': 'Anger' appears twice", "'Fear': ", "'Pain': inf is not"):
        assert part in message


def test_a_missing_mean_is_named(tmp_path):
    path = tmp_path / "means.json"
    path.write_text(json.dumps({name: 0.0 for name in NAMES if name != "Awe"}))
    assert "missing: no mean for 'Awe'" in refusal(path)
    path.write_text(json.dumps(dict.fromkeys(NAMES, 0.0)))
    assert "missing: no mean for 'Valence'; give one, or leave it raw with --raw 'Valence'" in refusal(path, ALL)
    assert read_neutral(path, ALL, raw=[item.name for item in DIMENSIONS]).means == dict.fromkeys(NAMES, 0.0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("means.pkl", "cos\nsystem\n(S'touch pwned'\ntR.", "A pickle is never read"),
        ("means.json", "{", "is not readable as .json"),
        ("means.json", "[1]", "holds a list, must be an object"),
        ("means.csv", "a,b\n1,2", "columns are ['a', 'b']"),
        ("means.csv", "", "columns are []"),
        ("means.jsonl", "", "no lines"),
        ("means.jsonl", '{"image_path": "x"}', "line 1: KeyError"),
        ("means.jsonl", '{"image_path": "x", "results": {"model_awe_best": {"raw": 1}}}', "line 1: KeyError"),
        ("means.jsonl", "not json", "line 1: JSONDecodeError"),
        (
            "means.jsonl",
            '{"image_path": "x", "results": {"joy": {"raw": 1, "mean_subtracted": 1}}}',
            "line 1: Unknown",
        ),
    ],
)
def test_broken_sources(tmp_path, name, content, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(content)
    assert message in refusal(tmp_path / name)
    assert not (tmp_path / "pwned").exists()
