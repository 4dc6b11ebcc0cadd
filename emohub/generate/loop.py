"""`emohub generate loop`: rounds of prompts, pictures and annotation until every emotion has enough pictures.

The folder holds `rounds/NN/` with everything about a round, `big/NN/`, the source that `emohub build dataset
emonet-face --config big` reads, `report.html`, `generation.json`, which the card tells from, `rejected.txt`, and
`study.json`, which is written last. Each step is whole or absent, so the same command goes on after any interruption.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emohub.data.generation import BUDGET, REACHED, ROUNDS, UNREACHABLE
from emohub.data.generation import RECORD as SUMMARY
from emohub.data.runs import digest, run_folder, write_file, write_json
from emohub.generate.counts import Tally, deficits, final_of, given_up, plan
from emohub.generate.report import write_report
from emohub.generate.review import rejected_in
from emohub.generate.rounds import Round, begin, begun, run_round, write_source
from emohub.generate.settings import Study
from emohub.rate.cost import BudgetUsedUp

logger = logging.getLogger(__name__)

COMMAND = "emohub generate loop"
RECORD, REJECTED = "study.json", "rejected.txt"
ELSEWHERE = ("url", "key_env", "timeout")  # options that say where a service is, not what it answers


def generate_loop(
    study: Study, out: Path, *, target: int | None = None, rejected: Path | None = None
) -> dict[str, Any]:
    """Run rounds until nothing is lacking, or a limit is reached; an earlier run goes on where it stopped.

    Args:
        study: Settings.
        out: Folder to write.
        target: Pictures that each emotion needs, in place of the study's.
        rejected: Answers of a screening study, or ids one on each line: pictures that are left out for good.

    Returns:
        What `study.json` holds: why it stopped, rounds, pictures, cost, counts, emotions that were given up.

    Raises:
        EmohubError: what a step cannot do; everything finished is kept.
    """
    goal = target or study.target
    asked = {"target": goal, "stop": asdict(study.stop), "rejected_ids": digest(sorted(_known(out, rejected)))}

    def complete(record: Mapping[str, Any]) -> bool:
        return all(record.get(name) == value for name, value in asked.items())

    with run_folder(out, _plan(study), COMMAND, outputs=(SUMMARY,), manifest=RECORD, complete=complete) as run:
        if run.record is not None:
            return run.record
        without = _known(run.folder, rejected)
        write_file(run.folder / REJECTED, "".join(f"{id}\n" for id in sorted(without)))
        found = _Loop(run.folder, study, goal, without).run()
        write_json(run.folder / SUMMARY, found)
        return run.finish(**asked, **{name: value for name, value in found.items() if name not in asked})


def _plan(study: Study) -> dict[str, Any]:
    """What may not change from round to round."""
    images, annotation = study.images, study.annotation

    def what(options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name not in ELSEWHERE}

    return {
        "study": {"name": study.name, "seed": study.seed},
        "images": {"model": images.model, "options": what(images.options), "checks": asdict(images.checks())},
        "annotation": {
            "rater": annotation.rater,
            "options": what(annotation.options),
            "temperature": annotation.temperature,
            "hint_below": annotation.hint_below,
            "both_ways": annotation.both_ways,
        },
    }


def _known(out: Path, more: Path | None) -> set[str]:
    """Every id that was ever rejected."""
    before = out / REJECTED
    found = set(before.read_text(encoding="utf-8").split()) if before.is_file() else set()
    return found | (rejected_in(more) if more else set())


class _Loop:
    """The rounds of a study.

    Args:
        out: Folder.
        study: Settings.
        target: Pictures that each emotion needs.
        rejected: Ids of pictures that are left out.
    """

    def __init__(self, out: Path, study: Study, target: int, rejected: Collection[str]) -> None:
        self.out, self.study, self.target, self.rejected = out, study, target, frozenset(rejected)
        self.rounds: list[Round] = []
        self.tally = Tally()

    def run(self) -> dict[str, Any]:
        """Rounds until it ends; then the summary."""
        while (why := self._stops()) is None:
            number = len(self.rounds) + 1
            if not begun(self.out, number):
                wanted = plan(self.tally, self.study, self.target, self._affordable())
                begin(self.out, number, wanted, self._hinted(list(wanted), number), self.target)
            try:
                self._add(run_round(self.out, number, self.study, self._left()))
            except BudgetUsedUp as error:
                logger.warning("round %s is not finished: %s", number, error)
                return self._report(BUDGET)
            self._report("")
        if unknown := self.rejected - self._made():
            logger.warning("%s of %s rejected ids are no pictures of this loop", len(unknown), len(self.rejected))
        return self._report(why)

    def _add(self, one: Round) -> None:
        self.rounds.append(one)
        every = one.kept(self.rejected)
        self.tally.add(final_of(every), every, one.targets)
        write_source(self.out, one, self.rejected)
        logger.info("round %s: %s pictures, %s in all", one.number, one.record["pictures"], self.tally.pictures)

    def _stops(self) -> str | None:
        """Why no further round is begun; None where one is, or was."""
        if begun(self.out, len(self.rounds) + 1):
            return None
        if not deficits(self.tally, self.study, self.target):
            return UNREACHABLE if self._given_up() else REACHED
        if len(self.rounds) >= self.study.stop.rounds:
            return ROUNDS
        if (left := self._left()) is not None and (left <= 0 or self._affordable() == 0):
            return BUDGET
        return None

    def _given_up(self) -> list[str]:
        """Emotions that have too few pictures, and show too rarely."""
        lacking = [one for one in self.study.prompts.emotions if self.tally.counts.get(one, 0) < self.target]
        return given_up(self.tally, lacking, self.study.stop)

    def _hinted(self, wanted: Sequence[str], number: int) -> list[str]:
        """The rare ones among the wanted emotions, from the second round on."""
        few = self.study.annotation.hint_below * self.target
        return [one for one in wanted if number > 1 and self.tally.counts.get(one, 0) < few]

    def _spent(self) -> float:
        return sum(sum(one.record["cost"].values()) for one in self.rounds)

    def _left(self) -> float | None:
        budget = self.study.stop.budget
        return None if budget is None else budget - self._spent()

    def _made(self) -> set[str]:
        """Ids of all prompts so far."""
        return {id for one in self.rounds for id in one.prompts}

    def _affordable(self) -> int | None:
        """How many pictures what is left pays for; None without a limit."""
        left, price = self._left(), self.study.images.price
        return None if left is None or not price else int(left / price)

    def _report(self, stopped: str) -> dict[str, Any]:
        found = {
            "stopped": stopped,
            "target": self.target,
            "rounds": len(self.rounds),
            "unfinished": begun(self.out, len(self.rounds) + 1),
            "pictures": self.tally.pictures,
            "rejected": len(self.rejected & self._made()),
            "cost": round(self._spent(), 6),
            "counts": {one: self.tally.counts.get(one, 0) for one in self.study.prompts.emotions},
            "given_up": self._given_up(),
            "generator": self.rounds[-1].record["generator"] if self.rounds else {},
            "annotation": _plan(self.study)["annotation"],
        }
        write_report(self.out, self.study, self.rounds, self.tally, found, self.rejected)
        return found
