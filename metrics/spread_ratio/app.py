"""The Space of the Spread Ratio."""

from pathlib import Path

from page_layout import BOOTSTRAP, MODEL, Choice, Layout

EXAMPLE = """item,category,Ann,Bo,Cem,Dua,model#1,model#2,model#3
clip 1,happy,3,2,1,3,2,2,3
clip 1,proud,0,1,2,1,1,1,1
clip 2,happy,0,0,1,3,1,0,1
clip 2,proud,3,2,3,1,2,2,2
clip 3,happy,1,2,0,1,1,2,1
clip 3,proud,0,0,0,0,0,0,0
clip 4,happy,2,3,3,1,3,2,3
clip 4,proud,1,0,2,2,1,1,2
"""

LAYOUT = Layout(
    "Spread Ratio",
    "Does a model disagree with itself as much as humans disagree with each other? 1 is human-like, 0 deterministic.",
    EXAMPLE,
    [
        MODEL,
        Choice("Variant", ["variance", "gmd", "profile", "choice"], "variance"),
        BOOTSTRAP,
    ],
)

if __name__ == "__main__":
    from page import launch

    launch(Path(__file__).parent, LAYOUT)
