"""Heads: any known spelling, both wrappings, a list of what is wrong, and nothing is executed."""

import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from emohub.data.taxonomy import DIMENSIONS, NAMES
from emohub.errors import BuildError
from emohub.model.convert.heads import OriginalHead, fused_state, read_heads

SMALL, WIDTH = (128, 32), 32


def refusal(folder, width=WIDTH) -> str:
    with pytest.raises(BuildError) as caught:
        read_heads(folder, SMALL, width)
    return str(caught.value)


def test_order_is_that_of_the_taxonomy(heads, make_state):
    emotions, dimensions = read_heads(heads, SMALL, WIDTH)
    assert tuple(head.name for head in emotions) == NAMES
    assert [head.name for head in dimensions] == [dimension.name for dimension in DIMENSIONS]
    for i, head in enumerate(emotions):
        assert all(torch.equal(head.state[key], value) for key, value in make_state(i).items())


def test_known_spellings(heads):
    (heads / "model_jealousy_&_envy_best.pth").rename(heads / "model_Jealousy_&_Envy_best.pth")
    (heads / "model_hope_enthusiasm_optimism_best.pth").rename(heads / "hope_enthusiasm_optimism.pth")
    (heads / "model_helplessness_best.pth").rename(heads / "Hopelessness.pth")
    (heads / "model_awe_best.pth").rename(heads / "Awe.PTH")
    (heads / "model_emotional_vulnerability_best.pth").rename(heads / "Emotional Vulnerability.pt")
    (heads / "README.md").write_text("not a head")
    emotions, dimensions = read_heads(heads, SMALL, WIDTH)
    assert (len(emotions), len(dimensions)) == (40, 4)


def test_dimensions_are_optional(heads):
    (heads / "model_valence_best.pth").unlink()
    assert [head.name for head in read_heads(heads, SMALL, WIDTH)[1]] == [
        "Arousal",
        "Dominance",
        "Emotional Vulnerability",
    ]


def test_everything_wrong_is_listed(heads, make_state):
    (heads / "model_awe_best.pth").unlink()
    torch.save(make_state(0), heads / "model_boredom_best.pth")
    torch.save(make_state(0), heads / "Amusement.pth")
    torch.save(make_state(0, hidden_sizes=(64, 32)), heads / "model_anger_best.pth")
    nan = make_state(1)
    nan["layers.3.weight"][0, :3] = float("nan")
    torch.save(nan, heads / "model_fear_best.pth")
    lacking = make_state(2)
    del lacking["layers.6.bias"]
    torch.save({"state_dict": {**lacking, "extra": torch.ones(1)}}, heads / "model_pain_best.pth")
    torch.save([1, 2], heads / "model_pride_best.pth")
    torch.save({"epoch": 3}, heads / "model_shame_best.pth")
    whole = {key: value.long() for key, value in make_state(3).items()}
    torch.save(whole, heads / "model_doubt_best.pth")
    message = refusal(heads)
    for part in (
        "missing: no head for 'Awe'",
        "model_boredom_best.pth: extra; Unknown emotion",
        "'Amusement' again, after Amusement.pth; keep one",
        "model_anger_best.pth: layers.0.weight is (64, 32), must be (128, 32)",
        "model_fear_best.pth: layers.3.weight holds 3 value(s) that are NaN or infinite",
        "model_pain_best.pth: layers.6.bias is missing",
        "model_pain_best.pth: 'extra': not expected; expected",
        "model_pride_best.pth: holds a list, must be a state dict",
        "model_shame_best.pth: holds a dict with the keys 'epoch', must be a state dict",
        "model_doubt_best.pth: layers.0.weight holds torch.int64",
    ):
        assert part in message
    assert message.count("missing: no head") == 1


def test_other_size_is_explained(heads):
    assert "layers.0.weight is (128, 32), must be (128, 1152); is --size or --backbone another?" in refusal(
        heads, 1152
    )


class Exploit:
    """Unpickling it writes a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def test_a_malicious_pickle_runs_nothing(heads, tmp_path):
    target = tmp_path / "pwned"
    torch.save({"state_dict": Exploit(target)}, heads / "model_awe_best.pth")
    torch.save(Exploit(target), heads / "model_anger_best.pth", _use_new_zipfile_serialization=False)
    message = refusal(heads)
    assert "model_awe_best.pth: not a plain file of tensors, refused" in message
    assert "model_anger_best.pth: not a plain file of tensors, refused" in message
    assert "missing" not in message
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x80\x02.", b"<html>404</html>", None])
def test_broken_files(heads, content):
    path = heads / "model_awe_best.pth"
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    assert "model_awe_best.pth: not a plain file of tensors, refused" in refusal(heads)


def rewritten(path: Path, change: Callable[[zipfile.ZipFile, list[tuple[str, bytes]]], None], **options) -> None:
    """Write the entries of an archive again, and what `change` adds."""
    with zipfile.ZipFile(path) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", **options) as archive:
        warnings.simplefilter("ignore")  # of names that appear twice
        for name, data in entries:
            archive.writestr(name, data)
        change(archive, entries)


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda archive, entries: archive.writestr(*entries[0]), {}, "more than once"),
        (lambda archive, _: archive.writestr("other/data.pkl", b"x"), {}, "2 files named data.pkl"),
        (lambda archive, _: None, {"compression": zipfile.ZIP_DEFLATED}, "compressed"),
        (lambda archive, _: [archive.writestr(f"x/{i}", b"") for i in range(2000)], {}, "entries; a head has a dozen"),
    ],
    ids=["twice", "two pickles", "compressed", "many"],
)
def test_an_archive_that_readers_understand_differently(heads, change, options, says):
    rewritten(heads / "model_awe_best.pth", change, **options)
    message = refusal(heads)
    assert "model_awe_best.pth: not a plain file of tensors, refused" in message and says in message


def test_many_tensors_are_one_problem_and_a_long_key_is_cut(heads, make_state):
    many = make_state(0) | {f"more.{i}": torch.zeros(1) for i in range(400)}
    torch.save(many, heads / "model_awe_best.pth")
    torch.save(make_state(1) | {"k" * 5_000_000: torch.zeros(1)}, heads / "model_anger_best.pth")
    torch.save({"k\x1b[2J" * 1_000_000: 1}, heads / "model_fear_best.pth")
    old = {f"more.{i}": torch.zeros(1) for i in range(30_000)}
    torch.save(old, heads / "model_doubt_best.pth", _use_new_zipfile_serialization=False)
    message = refusal(heads)
    assert "model_awe_best.pth: 'more.0', 'more.1', 'more.2' and 397 more: not expected" in message
    assert "model_doubt_best.pth: 'more.0', 'more.1', 'more.2' and 29,997 more: not expected" in message
    assert len(message) < 5_000 and "\x1b" not in message


def test_tensors_that_are_not_plain_or_larger_than_their_file(heads, make_state):
    state = make_state(0)
    torch.save(state | {"layers.0.bias": torch.zeros(128).to_sparse()}, heads / "model_awe_best.pth")
    torch.save(state | {"layers.0.bias": torch.zeros(128, device="meta")}, heads / "model_anger_best.pth")
    huge = torch.zeros(1, dtype=torch.float16).expand(10**6, 10**6)  # a terabyte in float32, ten bytes in the file
    torch.save(state | {"layers.0.weight": huge}, heads / "model_fear_best.pth")
    message = refusal(heads)
    assert message.count("layers.0.bias is a sparse, quantized or empty tensor") == 2
    assert "model_fear_best.pth: layers.0.weight is (1000000, 1000000), must be (128, 32)" in message


def test_a_link_to_nothing(heads):
    (heads / "model_awe_best.pth").unlink()
    (heads / "model_awe_best.pth").symlink_to(heads / "gone")
    assert "model_awe_best.pth: not a plain file" in refusal(heads)


def test_no_folder(tmp_path):
    assert "is not a folder" in refusal(tmp_path / "nowhere")


def test_fused_weights_are_the_heads(heads):
    emotions, _ = read_heads(heads, SMALL, WIDTH)
    fused = fused_state(emotions)
    assert {key: tuple(value.shape) for key, value in fused.items()} == {
        "layers.0.weight": (40, 128, 32),
        "layers.0.bias": (40, 128),
        "layers.1.weight": (40, 32, 128),
        "layers.1.bias": (40, 32),
        "layers.2.weight": (40, 1, 32),
        "layers.2.bias": (40, 1),
    }
    original = OriginalHead(emotions[7], 0.1)
    assert torch.equal(original.layers[3].weight, fused["layers.1.weight"][7])
