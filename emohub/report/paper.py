"""`paper.tex` with blocks to cut out, and `paper.bib` with what they cite."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from emohub.data.runs import write_file
from emohub.hub.templates import citation
from emohub.report.figure import Figure
from emohub.report.table import tex

if TYPE_CHECKING:
    from emohub.report.run import Report, Section

HEAD = r"""% Blocks to cut out, or the whole: pdflatex paper, bibtex paper, pdflatex paper, twice.
\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{adjustbox,amsmath,booktabs,graphicx}
% letters
\begin{document}
"""
LETTERS = "% letters\n"
KNOWN = 0x17F  # the last letter that the T1 encoding may have
TAIL = r"""
\nocite{*}
\bibliographystyle{plain}
\bibliography{paper}
\end{document}
"""
METHODS = r"""@article{wilson1927probable,
  title = {Probable inference, the law of succession, and statistical inference}, author = {Wilson, Edwin B.},
  journal = {Journal of the American Statistical Association}, volume = {22}, number = {158}, pages = {209--212},
  year = {1927}, doi = {10.1080/01621459.1927.10502953}
}
@article{holm1979simple,
  title = {A simple sequentially rejective multiple test procedure}, author = {Holm, Sture},
  journal = {Scandinavian Journal of Statistics}, volume = {6}, number = {2}, pages = {65--70}, year = {1979}
}
@article{schuirmann1987comparison,
  title = {A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence of
    average bioavailability}, author = {Schuirmann, Donald J.},
  journal = {Journal of Pharmacokinetics and Biopharmaceutics}, volume = {15}, number = {6}, pages = {657--680},
  year = {1987}, doi = {10.1007/BF01068419}
}
@article{kott2001delete,
  title = {The delete-a-group jackknife}, author = {Kott, Phillip S.}, journal = {Journal of Official Statistics},
  volume = {17}, number = {4}, pages = {521--526}, year = {2001}
}
@article{cohen1968weighted,
  title = {Weighted kappa: Nominal scale agreement with provision for scaled disagreement or partial credit},
  author = {Cohen, Jacob}, journal = {Psychological Bulletin}, volume = {70}, number = {4}, pages = {213--220},
  year = {1968}, doi = {10.1037/h0026256}
}
@book{krippendorff2004content,
  title = {Content analysis: An introduction to its methodology}, author = {Krippendorff, Klaus},
  edition = {2}, publisher = {Sage}, year = {2004}
}
"""


def write_paper(made: "Report", folder: Path) -> None:
    """Write both files."""
    blocks = "\n".join(block for section in made.sections for block in _blocks(section, folder))
    write_file(folder / "paper.tex", HEAD.replace(LETTERS, _letters(blocks)) + f"\n{blocks}{TAIL}")
    cited = [citation(name) for name in sorted({study.paper for study in made.studies})]
    write_file(folder / "paper.bib", "\n\n".join([*cited, METHODS]))


def _letters(text: str) -> str:
    """What pdflatex shows for letters that its fonts do not have, such as emojis: their code."""
    return "".join(
        rf"\DeclareUnicodeCharacter{{{ord(one):04X}}}{{[U+{ord(one):04X}]}}" + "\n"
        for one in sorted({letter for letter in text if ord(letter) > KNOWN})
    )


def _blocks(section: "Section", folder: Path) -> Iterator[str]:
    for output in section.outputs:
        yield f"% ---- {section.item.id}: {output.id}"
        if isinstance(output, Figure):
            yield _figure(output)
        else:
            yield output.latex()


def _figure(figure: Figure) -> str:
    note = f" {tex(figure.note)}" if figure.note else ""
    wide = min(1.0, figure.size[0] / 7)
    return "\n".join(
        [
            r"\begin{figure}[t]",
            r"\centering",
            rf"\includegraphics[width={wide:.2f}\linewidth]{{figures/{figure.id}.pdf}}",
            rf"\caption{{{tex(figure.title)}.{note}}}",
            rf"\label{{fig:{figure.id}}}",
            r"\end{figure}",
            "",
        ]
    )
