"""The Space of the rating correlation."""

from pathlib import Path

from page_layout import BOOTSTRAP, MODEL, Choice, Layout

EXAMPLE = """item,category,Ann,Bo,Cem,model
face 1,joy,6,5,7,5.2
face 2,joy,0,1,0,0.4
face 3,joy,3,2,2,2.9
face 4,joy,5,5,4,3.8
face 5,joy,1,0,0,1.1
face 1,awe,1,0,2,0.3
face 2,awe,0,0,0,0.8
face 3,awe,4,6,5,2.2
face 4,awe,2,3,1,2.6
face 5,awe,7,5,6,4.0
"""

LAYOUT = Layout(
    "Rating correlation",
    "Spearman's ρ of a model's ratings with the median of the humans', per category and on average.",
    EXAMPLE,
    [
        MODEL,
        Choice("What is resampled", ["categories", "items", "raters", "both"], "items"),
        BOOTSTRAP,
    ],
)

if __name__ == "__main__":
    from page import launch

    launch(Path(__file__).parent, LAYOUT)
