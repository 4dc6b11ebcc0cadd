"""How balanced prompts are: how often each level of each factor occurs, and how often it should."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from emohub.generate.prompts import Prompt, factors
from emohub.generate.quotas import off
from emohub.report.figure import COLOURS, Figure, label_rows
from emohub.report.table import Table

NOTE = "Quota: what the factor's shares give. Emotions have the numbers that were asked for."
EMOTION, NEUTRAL = "emotion", "(neutral)"


def frame_of(prompts: Sequence[Prompt]) -> pd.DataFrame:
    """Factor → level of each prompt; the word for the intensity of prompts about an emotion only."""
    rows = [{EMOTION: one.emotion or NEUTRAL, **{name: getattr(one, name) for name in factors()}} for one in prompts]
    return pd.DataFrame(rows)


def table_of(prompts: Sequence[Prompt]) -> Table:
    """One row for each level."""
    frame, rows = frame_of(prompts), list[tuple[Any, ...]]()
    for factor, shares in factors().items():
        counts = frame[factor].value_counts()
        used = {level: share for level, share in shares.items() if level in counts}
        of = counts[list(used)].sum()
        for level, share in used.items():
            quota = float(of * share / sum(used.values()))
            rows.append((factor, str(level) or "(none)", int(counts[level]), quota))
    rows += [(EMOTION, str(name), int(n), None) for name, n in frame[EMOTION].value_counts().items()]
    name, worst = furthest(frame)
    note = (
        f"{NOTE} The pair of factors that is furthest from what its factors give is {name}: {worst:.1f} prompts off."
    )
    columns = ("Factor", "Level", "Prompts", "Quota")
    return Table("balance", f"Balance of {len(prompts):,} prompts", columns, rows, note, digits=1)


def furthest(frame: pd.DataFrame) -> tuple[str, float]:
    """The pair of factors with the number that is furthest from the one that its factors' own numbers give."""
    codes = {name: pd.factorize(frame[name].astype(str))[0] for name in frame}
    if (frame[EMOTION] == NEUTRAL).any():
        codes.pop("intensity")  # neutral faces have none
    pairs = {f"{a} × {b}": off(codes[a], codes[b]) for at, a in enumerate(codes) for b in list(codes)[:at]}
    return max(pairs.items(), key=lambda pair: pair[1])


def figure_of(prompts: Sequence[Prompt], id: str = "balance") -> Figure:
    """Bars of the levels of each factor, and how many prompts each emotion has for each gender and age."""
    frame = frame_of(prompts)
    names = ["gender", "age", "ethnicity", "template", "intensity"]
    emotions = frame[EMOTION].value_counts()

    def draw(canvas: Canvas) -> None:
        left, right = canvas.subplots(1, 2, width_ratios=(1, 1.25))
        lines, values, colours = list[str](), list[int](), list[str]()
        for factor, colour in zip(names, COLOURS, strict=False):
            counts = (
                frame[factor].value_counts().reindex([one for one in factors()[factor] if one in {*frame[factor]}])
            )
            lines += [str(level) or "(no word)" for level in counts.index]
            values += counts.to_list()
            colours += [colour] * len(counts)
        left.barh(range(len(lines)), values, color=colours, height=0.75)
        label_rows(left, lines, size=6)
        left.set_xlabel("prompts")
        cells = pd.crosstab(frame[EMOTION], frame["gender"] + ", " + frame["age"].astype(str)).loc[
            list(emotions.index)
        ]
        image = right.imshow(cells, aspect="auto", cmap="viridis", vmin=0)
        right.set_xticks(range(cells.shape[1]), list(cells.columns), rotation=90, fontsize=5)
        right.set_yticks(range(cells.shape[0]), list(cells.index), fontsize=5)
        right.tick_params(length=0)
        canvas.colorbar(image, ax=right, label="prompts", shrink=0.6)

    alt = f"Bars of the levels of {', '.join(names)}, and how many prompts each emotion has for each gender and age."
    height = max(4.0, 1.2 + 0.13 * max(len(emotions), np.size(list(factors())) * 7))
    return Figure(id, f"Balance of {len(prompts):,} prompts", alt, draw, (7.5, height))
