"""Model repos: what `emohub build model` writes, evaluated on a dataset of the release."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from emohub.data.source import fetch
from emohub.hub.folders import hub_folder
from emohub.release.digests import code_of, contents, local_or_hub_id, stamp
from emohub.report.headlines import MEASURED

if TYPE_CHECKING:  # a change of the manifest's form is no reason to convert a model again
    from emohub.hub.context import ReleaseContext
    from emohub.release.digests import Made
    from emohub.release.manifest import Model

FILE = Path(__file__)
CARD_NEEDS_CONTENT = False
_FIELDS = {"heads", "backbone", "size", "neutral", "reference", "raw", "measure"}


def inputs(name: str, spec: "Model", base: Path, made: "Made") -> list[Any]:
    """Weights, options, code, and the data that the model is evaluated on."""
    files = [spec.heads, spec.backbone, *(one for one in (spec.neutral, spec.reference) if one)]
    measured: list[Any] = []
    if spec.measure:
        measured = [
            made["dataset", spec.measure.dataset],
            *(contents(hub_folder("metrics", one.metric)) for one in MEASURED),
        ]
    code = [*code_of(FILE), *contents(hub_folder("hub_models"))]
    return [spec.model_dump(include=_FIELDS), [stamp(one, base) for one in files], code, measured]


def make(work: Path, name: str, spec: "Model", base: Path, release: Path) -> None:
    """Convert the weights and evaluate the result."""
    from emohub.model.convert.convert import convert_model  # here: torch takes seconds to load

    neutral, reference = (base / one if one else None for one in (spec.neutral, spec.reference))
    heads = base / spec.heads if (base / spec.heads).exists() else fetch(spec.heads, "model")
    convert_model(heads, local_or_hub_id(spec.backbone, base), work, spec.size, neutral, reference, spec.raw)
    if spec.measure:
        from emohub.release.measure import measure_model

        measure_model(work, name, release / "datasets" / spec.measure.dataset, spec.measure)


def write_card(work: Path, spec: "Model", context: "ReleaseContext", metadata: dict[str, Any]) -> None:
    """Write the card with every known result, and `.eval_results/`."""
    from emohub.model.card import write_card as write
    from emohub.release.results import evaluation_of, results_of, write_eval_results

    results = results_of(work, spec, context)
    metadata = {"datasets": context.of_kind("dataset"), **metadata}
    if results:
        name = context.id.split("/")[1]
        metadata |= {"model_name": name, "eval_results": [result.for_index() for result in results]}
        metadata["metrics"] = list(dict.fromkeys(result.metric.split("/")[-1] for result in results))
    upstream = spec.heads if spec.published else None  # others come from a folder of this machine
    write(work, context=context, results=results, evaluation=evaluation_of(work), upstream=upstream, **metadata)
    write_eval_results(work, results)
