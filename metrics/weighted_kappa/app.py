"""The Space of weighted kappa."""

from pathlib import Path

from page_layout import BOOTSTRAP, Choice, Layout

EXAMPLE = """item,Ann,Bo,Cem
face 1,3,3,2
face 2,0,1,0
face 3,7,5,6
face 4,4,4,
face 5,1,0,1
face 6,5,6,7
face 7,2,2,4
face 8,0,0,0
"""

LAYOUT = Layout(
    "Weighted kappa",
    "Agreement on a scale of two raters, or of every pair of many, corrected for chance.",
    EXAMPLE,
    [
        Choice("Weights", ["quadratic", "linear", "none"], "quadratic"),
        Choice("Ratings that are not whole", ["error", "round", "concordance", "upstream"], "error"),
        BOOTSTRAP,
    ],
)

if __name__ == "__main__":
    from page import launch

    launch(Path(__file__).parent, LAYOUT)
