"""What the rounds so far have shown, and what the next one has to ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import pandas as pd

from emohub.generate.settings import Stop, Study


@dataclass(frozen=True, slots=True)
class Hits:
    """How many pictures that were to show an emotion do.

    Attributes:
        shown: Of them.
        of: All that were annotated.
    """

    shown: int = 0
    of: int = 0

    def __add__(self, other: "Hits") -> "Hits":
        return Hits(self.shown + other.shown, self.of + other.of)

    @property
    def expected(self) -> float:
        """Their rate for planning, by the rule of succession: never 0 or 1, ½ where nothing is known."""
        return (self.shown + 1) / (self.of + 2)


@dataclass
class Tally:
    """Pictures and hits by emotion.

    Attributes:
        counts: Emotion → pictures whose annotation has it above 0.
        hinted: Emotion → hits of its pictures that were annotated with a hint.
        plain: Emotion → hits of those without.
        both: Emotion → (hinted, plain) hits of the same pictures, those that were annotated both ways.
        pictures: How many there are.
    """

    counts: dict[str, int] = field(default_factory=dict)
    hinted: dict[str, Hits] = field(default_factory=dict)
    plain: dict[str, Hits] = field(default_factory=dict)
    both: dict[str, tuple[Hits, Hits]] = field(default_factory=dict)
    pictures: int = 0

    def add(self, final: pd.DataFrame, every: pd.DataFrame, targets: Mapping[str, str | None]) -> None:
        """Add a round.

        Args:
            final: Its ratings, one annotation a picture: item, category, rating.
            every: All its ratings, with `hinted`.
            targets: Item → emotion that it was to show.
        """
        self.pictures += final["item"].nunique()
        for emotion, n in final.loc[final["rating"] > 0, "category"].value_counts().items():
            self.counts[str(emotion)] = self.counts.get(str(emotion), 0) + int(n)
        own = every[every["category"] == every["item"].map(targets)]
        for (emotion, hinted), its in (own["rating"] > 0).groupby([own["category"], own["hinted"]]):
            of = self.hinted if hinted else self.plain
            of[str(emotion)] = of.get(str(emotion), Hits()) + Hits(int(its.sum()), len(its))
        twice = own[own.duplicated("item", keep=False)]
        for emotion, its in twice.groupby("category"):
            seen = [its.loc[its["hinted"] == hinted, "rating"] > 0 for hinted in (True, False)]
            a, b = (Hits(int(one.sum()), len(one)) for one in seen)
            before = self.both.get(str(emotion), (Hits(), Hits()))
            self.both[str(emotion)] = (before[0] + a, before[1] + b)

    def hits(self, emotion: str) -> Hits:
        """Of its pictures, each counted once: as it was annotated for good."""
        both = self.both.get(emotion, (Hits(), Hits()))[1]
        plain = self.plain.get(emotion, Hits())
        return self.hinted.get(emotion, Hits()) + Hits(plain.shown - both.shown, plain.of - both.of)


def final_of(every: pd.DataFrame) -> pd.DataFrame:
    """One annotation a picture: the hinted one where there are both, as in the paper."""
    hinted = set(every.loc[every["hinted"], "item"])
    return every[every["hinted"] | ~every["item"].isin(hinted)]


def given_up(tally: Tally, emotions: Sequence[str], stop: Stop) -> list[str]:
    """Emotions whose pictures show them too rarely to go on, once enough were made."""
    found = []
    for emotion in emotions:
        hits = tally.hits(emotion)
        if hits.of >= stop.least and hits.shown < stop.hit_rate * hits.of:
            found.append(emotion)
    return found


def deficits(tally: Tally, study: Study, target: int) -> dict[str, int]:
    """Emotion → pictures that it lacks, without those that are given up or have enough."""
    without = set(given_up(tally, study.prompts.emotions, study.stop))
    lacking = {emotion: target - tally.counts.get(emotion, 0) for emotion in study.prompts.emotions}
    return {emotion: n for emotion, n in lacking.items() if n > 0 and emotion not in without}


def plan(tally: Tally, study: Study, target: int, most: int | None = None) -> dict[str, int]:
    """Emotion → prompts of the next round: the deficit by the hit rate.

    In the first round it is the same for each; where too few pictures were judged to give an emotion up, no more are
    asked for than judging it takes. Where all are more than `most`, or the study's own limit, each gets its share.
    """
    first, least = study.prompts.first, study.stop.least
    wanted = {}
    for emotion, n in deficits(tally, study, target).items():
        hits = tally.hits(emotion)
        enough = ceil(n / hits.expected)
        wanted[emotion] = enough if hits.of >= least else min(enough, max(first, least - hits.of))
    if not tally.pictures:
        wanted = dict.fromkeys(wanted, first)
    limit = study.prompts.most if most is None else min(study.prompts.most, most)
    share = min(1.0, limit / max(sum(wanted.values()), 1))
    return {emotion: max(1, int(n * share)) for emotion, n in wanted.items()}
