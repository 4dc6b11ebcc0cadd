"""The Space of the dominant expression."""

from pathlib import Path

from page_layout import BOOTSTRAP, MODEL, Choice, Layout, Number

EXAMPLE = """item,category,Ann,Bo,Cem,model
clip 1,happy,3,2,3,2.4
clip 1,proud,1,1,2,1.9
clip 1,shy,0,0,1,0.2
clip 2,happy,0,1,0,1.2
clip 2,proud,2,3,3,1.0
clip 2,shy,1,0,0,0.6
clip 3,happy,1,0,1,0.1
clip 3,proud,0,0,0,0.4
clip 3,shy,3,3,2,2.8
clip 4,happy,2,2,1,1.5
clip 4,proud,2,2,1,1.7
clip 4,shy,0,0,0,0.3
"""

LAYOUT = Layout(
    "Dominant expression",
    "Does a model name the category that humans see most? Every score is shown with a random order and the prior.",
    EXAMPLE,
    [
        MODEL,
        Choice("Candidates", ["rated", "all"], "rated"),
        Number("k of top-k", 1, 10, 2, 1),
        BOOTSTRAP,
    ],
)

if __name__ == "__main__":
    from page import launch

    launch(Path(__file__).parent, LAYOUT)
