"""`study.toml`: what it may say, and what is said about the rest."""

from pathlib import Path

import pytest

from emohub.errors import EmohubError
from emohub.generate.settings import read_study

GOOD = '[images]\nmodel = "drawn"\n[annotation]\nrater = "openai:x"\noptions = {url = ["http://127.0.0.1:1/v1"]}\n'


def test_two_keys_are_enough(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(GOOD)
    study = read_study(tmp_path / "s.toml")
    assert (study.target, len(study.prompts.emotions), study.annotation.both_ways) == (5000, 40, 0.1)


def test_the_page_about_it_shows_one_that_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "generation.md").read_text()
    (tmp_path / "s.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    assert read_study(tmp_path / "s.toml").images.model.startswith("diffusers:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"\[images\] needs or cannot take 'model'"),
        (GOOD + "[stop]\nround = 3", r"\[stop\] takes no round; valid: rounds, budget, hit_rate, least"),
        ("goal = 3\n" + GOOD, "takes no goal; valid: name, seed, target"),
        ('name = "../x"\n' + GOOD, "name is '../x', how file names begin.*path separator"),
        ("target = 0\n" + GOOD, "target is 0; must be a number above 0"),
        ("prompts = 3\n" + GOOD, r"\[prompts\] is 3; must be a table"),
        (GOOD + "both_ways = 1.5", "both_ways is 1.5; must be a share from 0 to 1"),
        (GOOD + 'price = "cheap"', "--price is 'cheap'"),
        (GOOD + '[prompts]\nemotions = ["Joy"]', "Joy"),
        (GOOD + "[prompts]\nfirst = 0", r"\[prompts\] first is 0"),
        (GOOD.replace('"drawn"', '"drawn"\nengine = "spark"'), "engine 'spark'"),
        (
            GOOD.replace('"drawn"', '"drawn"\nrun = {threads = 3}'),
            r"\[images\] run takes no threads; valid: batch_size",
        ),
        (GOOD.replace("openai:x", "random"), "'random', which answers no questions"),
        (GOOD.replace("openai:x", "painter:x"), "There is no rater 'painter'"),
        (GOOD.replace('{url = ["http://127.0.0.1:1/v1"]}', "{}"), "needs the name of the model and a --url"),
        ("[images", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(EmohubError, match=says):
        read_study(tmp_path / "s.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EmohubError, match="cannot be read"):
        read_study(tmp_path / "s.toml")
