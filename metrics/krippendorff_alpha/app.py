"""The Space of Krippendorff's alpha."""

from pathlib import Path

from page_layout import BOOTSTRAP, Choice, Layout

EXAMPLE = """unit,A,B,C,D
1,1,1,,1
2,2,2,3,2
3,3,3,3,3
4,3,3,3,3
5,2,2,2,2
6,1,2,3,4
7,4,4,4,4
8,1,1,2,1
9,2,2,2,2
10,,5,5,5
11,,,1,1
12,,3,,
"""

LAYOUT = Layout(
    "Krippendorff's alpha",
    "Agreement of any number of raters, with gaps, corrected for chance. The example is Krippendorff's own.",
    EXAMPLE,
    [
        Choice("Level of measurement", ["nominal", "ordinal", "interval", "ratio"], "ordinal"),
        BOOTSTRAP,
    ],
)

if __name__ == "__main__":
    from page import launch

    launch(Path(__file__).parent, LAYOUT)
