"""What the page shows of results: HTML tables whose bars are drawn by CSS, so that they read on a phone and aloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from groups import GROUPS, OTHER, Group, group_of
from scoring import DISTRIBUTIONS, Scorer, ranked, spread
from studio import Face, PictureResult, VideoResult

KINDS = {"Above neutral": "above", "Raw": "raw"}
ORDERS = ("Strongest first", "By group")
FULL = 0.5  # share at which a bar of the distribution is full
HINT = "The model was made for faces: you can have the whole picture scored, but that may mean nothing."
SHOWN = 5  # emotions beside a frame of a video

_PANELS = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
).get_template("panels.html")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a visitor chose: a key of `KINDS`, the lowest score shown, how many emotions, one of `ORDERS`."""

    kind: str
    threshold: float
    top: int
    order: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a chart: where its bar begins and how long it is, in per cent of the axis, and what is written."""

    name: Markup
    group: Group
    start: float
    length: float
    text: str
    beyond: bool
    colour: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A fixed axis from `low` to `high`."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Position of a value, 0 … 100; values beyond the ends are at the end."""
        return 100 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places and texts: the ends, 0, and the middle between 0 and the upper end."""
        return [(self.at(value), f"{value:g}") for value in sorted({self.low, 0, self.high / 2, self.high})]

    def bar(self, emotion: str, value: float, text: str, colour: str | None = None) -> Bar:
        """The bar from 0 to a value, in a colour or in that of the emotion's group."""
        zero, end = self.at(0), self.at(value)
        beyond = not self.low <= value <= self.high
        group = group_of(emotion)
        return Bar(wrapping(emotion), group, min(zero, end), abs(end - zero), text, beyond, colour or group.colour)


def wrapping(name: str) -> Markup:
    """A name that may be broken after its slashes.

    >>> wrapping("Pleasure/Ecstasy")
    Markup('Pleasure/<wbr>Ecstasy')
    """
    return Markup("/<wbr>").join(escape(part) for part in name.split("/"))


class Views:
    """Draws results of one model on its fixed axes."""

    def __init__(self, scorer: Scorer, axes: Mapping[str, Sequence[float]]):
        self.scorer = scorer
        self.axes = {kind: Axis(*ends) for kind, ends in axes.items()}

    def notice(self, text: str, alert: bool = True) -> str:
        """A message in a frame; an alert is read out at once."""
        return _draw("notice", text=text, alert=alert)

    def overview(self, result: PictureResult, title: str, files: Mapping[str, tuple[str, str]]) -> str:
        """The picture with its faces framed, what was found, and the files to take away: name → (file name, link)."""
        hint = HINT if not result.faces else ""
        return _draw("overview", result=result, title=title, summary=_summary(result), files=files, hint=hint)

    def downloads(self, notes: Sequence[str], files: Mapping[str, tuple[str, str]]) -> str:
        """Notes and the files to take away."""
        return _draw("downloads", notes=notes, files=files)

    def intensities(self, result: PictureResult, choices: Choices) -> str:
        """One panel per face: the crop, and the emotions as bars."""
        kind = KINDS[choices.kind]
        axis = self.axes[kind]
        panels = [
            (name, face.copy, self._blocks(self._of_kind(face.scores, kind), axis, choices))
            for name, face in _named(result)
        ]
        return _draw("intensities", panels=panels, axis=axis, choices=choices, groups=GROUPS)

    def distributions(self, result: PictureResult, way: str, top: int) -> str:
        """One panel per face: the crop, and its distribution over plausible emotions."""
        panels = []
        for name, face in _named(result):
            shares = DISTRIBUTIONS[way](face.scores)
            panels.append((name, face.copy, self._distribution(shares, top)))
        return _draw("distributions", panels=panels, axis=Axis(0, 100 * FULL))

    def live(self, face: Face | None, top: int) -> str:
        """The camera's face with its strongest emotions."""
        axis = self.axes["above"]
        choices = Choices(next(iter(KINDS)), axis.low, top, ORDERS[0])
        blocks = self._blocks(face.scores, axis, choices) if face else []
        return _draw("live", copy=face.copy if face else "", blocks=blocks, axis=axis)

    def frame(self, result: VideoResult, index: int, kind: str, colours: Mapping[str, str]) -> str:
        """A frame of a video with the strongest emotions in it, in the colours of the lines; grey without a line."""
        scores, axis = result.scores[index], self.axes[KINDS[kind]]
        if np.isnan(scores).any():
            blocks = []
        else:
            choices = Choices(kind, axis.low, SHOWN, ORDERS[0])
            painted = dict.fromkeys(self.scorer.labels, OTHER.colour) | dict(colours)
            blocks = self._blocks(self._of_kind(scores, KINDS[kind]), axis, choices, painted)
        return _draw(
            "frame", seconds=result.seconds[index], copy=result.copies[index], blocks=blocks, axis=axis, kind=kind
        )

    def legend(self, colours: Mapping[str, str]) -> str:
        """Which emotion has which colour in the chart over time."""
        return _draw("lines", colours=colours.items())

    def timetable(self, result: VideoResult, emotions: Sequence[str], kind: str) -> str:
        """The lines of the chart as a table: one row per frame, one column per emotion."""
        columns = [self.scorer.labels.index(emotion) for emotion in emotions]
        scores = self._of_kind(result.scores, KINDS[kind])[:, columns]
        texts = [["–" if np.isnan(value) else f"{value:.2f}" for value in row] for row in scores]
        rows = list(zip(result.seconds, texts, strict=True))
        return _draw("timetable", emotions=emotions, rows=rows)

    def _of_kind(self, scores: np.ndarray, kind: str) -> np.ndarray:
        return scores + self.scorer.neutral if kind == "raw" else scores

    def _blocks(
        self, scores: np.ndarray, axis: Axis, choices: Choices, colours: Mapping[str, str] = MappingProxyType({})
    ) -> list[tuple[Group | None, list[Bar]]]:
        """Bars in one block, or in one block per group; in their group's colour where `colours` has none."""
        labels = self.scorer.labels
        kept = [index for index in ranked(scores)[: choices.top] if scores[index] >= choices.threshold]
        bars = [
            axis.bar(labels[index], scores[index], f"{scores[index]:.2f}", colours.get(labels[index]))
            for index in kept
        ]
        if choices.order == ORDERS[0] or not bars:
            return [(None, bars)] if bars else []
        blocks = [(group, [bar for bar in bars if bar.group == group]) for group in (*GROUPS, OTHER)]
        return [(group, inside) for group, inside in blocks if inside]

    def _distribution(self, shares: np.ndarray, top: int) -> dict[str, Any]:
        labels, axis = self.scorer.labels, Axis(0, 100 * FULL)
        order = [index for index in ranked(shares) if shares[index] > 0]
        groups = [(group, sum(shares[i] for i in order if group_of(labels[i]) == group)) for group in (*GROUPS, OTHER)]
        return {
            "bars": [axis.bar(labels[i], 100 * shares[i], f"{100 * shares[i]:.1f} %") for i in order[:top]],
            "segments": [(labels[i], group_of(labels[i]), 100 * shares[i]) for i in order],
            "groups": [(group, 100 * share) for group, share in groups if share > 0],
            "spread": spread(shares),
            "rest": 100 * sum(shares[i] for i in order[top:]),
        }


def _summary(result: PictureResult) -> str:
    if result.whole:
        return "The whole picture was scored, whether or not a face is in it."
    if not result.found:
        return "No face was found in the picture."
    return "One face was found." if result.found == 1 else f"{result.found} faces were found."


def _named(result: PictureResult) -> list[tuple[str, Any]]:
    """Every face with what it is called."""
    if result.whole:
        return [("Whole picture", result.faces[0])]
    many = len(result.faces)
    return [(f"Face {i} of {many}" if many > 1 else "The face", face) for i, face in enumerate(result.faces, start=1)]


def _draw(macro: str, **values: Any) -> str:
    return str(getattr(_PANELS.module, macro)(**values))
