"""What `/predict` answers, as numbers to compare: a busy processor may add them up in another order."""

from typing import Any


def numbers(face: dict[str, Any], kind: str = "above_neutral") -> dict[str, float]:
    """Emotion → score of one face."""
    return {row["emotion"]: row[kind] for row in face["scores"]}


def figures(answer: dict[str, Any]) -> list[float]:
    """Box and scores of every face, one after the other."""
    return [value for face in answer["faces"] for value in (*face["box"], *numbers(face).values())]
