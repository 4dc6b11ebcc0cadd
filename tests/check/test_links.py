"""Links between the repos of a release: a Space over a closed model has a secret, or cannot start."""

from typing import Any

import pytest

from emohub.check.run import check_path
from tests.check.planting import Copy


@pytest.mark.parametrize(
    ("access", "secret", "passes"),
    [({}, None, True), ({"gated": "auto"}, None, False), ({"private": True}, None, False),
     ({"private": True}, "HF_TOKEN", True)],
)  # fmt: skip
def test_every_space_can_load_its_model(
    access: dict[str, Any], secret: str | None, passes: bool, copied: Copy
) -> None:
    with copied.json("release.json") as record:
        for repo in record["repos"]:
            repo.update(access if repo["kind"] == "model" else {"secret": secret} if repo["kind"] == "space" else {})
    assert check_path(copied.folder, ids={"links.access"}).ok == passes


@pytest.mark.parametrize("access", [{"gated": "auto"}, {"private": True}, {"gated": None, "private": False}])
def test_a_space_can_load_the_datasets_that_it_names(access: dict[str, Any], copied: Copy) -> None:
    with copied.meta("spaces/small_page/README.md") as meta:
        meta["datasets"] = ["demo-org/chehre"]
    with copied.json("release.json") as record:
        next(repo for repo in record["repos"] if repo["name"] == "chehre").update(access)
    failures = check_path(copied.folder, ids={"links.access"}).failures
    assert len(failures) == any(access.values())
    assert all("demo-org/chehre is" in failure.found for failure in failures)
