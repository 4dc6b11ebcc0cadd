"""Table 2: how often the annotators of each step of BINARY agreed."""

from collections.abc import Iterator

from emohub.data.votes import agreeing, count_votes
from emohub.report.item import Gap, Item, Settings
from emohub.report.statistics import share
from emohub.report.studies.votes import Votes
from emohub.report.table import Table

STARTS = {1: "Starting point", 2: "Batch 1 positives", 3: "Batch 2 positives", 0: "Batch 1 contrastive"}
NOTE = (
    "Agreement is a share of votes: of yes on the target in batches 1–3, each of which sees only what the one before "
    "confirmed, and of no on the contrastive emotion in batch 4. It is conditional: no measure of reliability."
)


def make(study: Votes, settings: Settings) -> Iterator[Table]:
    """One row per batch."""
    votes = study.first.dropna(subset=["step"])
    first = votes.loc[votes["step"] == 1, "item"].nunique()
    if not first:
        raise Gap("no vote has a step")
    counts = count_votes(votes).reindex(list(STARTS), fill_value=0)
    rows = []
    for batch, (step, start) in enumerate(STARTS.items(), 1):
        its = votes[votes["step"] == step]
        yes, n = counts.loc[step]
        agreement = share(f"binary.table2.batch{batch}", agreeing(step, yes, n), n, settings.confidence)
        kind = "affirmative" if step else "contrastive"
        rows.append(
            (
                f"Batch {batch} ({kind})",
                int(n),
                f"{100 * its['item'].nunique() / first:.2f} %",
                agreement,
                its["rater"].nunique(),
                start,
            )
        )
    columns = ("Batch", "Images", "Of the first", "Agreement", "Annotators", "Step")
    yield Table("binary-table2", "Agreement in each batch of BINARY", columns, rows, NOTE, digits=4)


ITEM = Item("binary.table2", "Table 2 · Batches and agreement", (Votes,), make, place=10)
