"""`croissant.json` of a dataset repo: what machines read about it, https://docs.mlcommons.org/croissant.

The Hub writes a Croissant file of its own about columns. This one adds what the Hub cannot know, in the terms of the
extension for responsible AI (RAI): how the data were collected, who annotated, limits, uses. These texts are the
sections of the card, so that each stands in one place.
"""

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlcroissant as mlc
from datasets import ClassLabel, Image, List, Video

from emohub.data.runs import write_file
from emohub.dataset.repo import features_of
from emohub.errors import BuildError
from emohub.hub.card import Card, read_card
from emohub.hub.context import ReleaseContext
from emohub.hub.kinds import repo_url
from emohub.hub.words import LICENSE_LINKS

FILE = "croissant.json"
REPO = "repo"
# What stands for the digest that a git repository does not have, by convention.
NO_DIGEST = "https://github.com/mlcommons/croissant/issues/80"
# Section of a card → the property that it answers: https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html
SECTIONS = {
    "How it was made": "data_collection",
    "Who rated": "annotator_demographics",
    "Limits": "data_limitations",
    "Uses": "data_use_cases",
    "Ethics": "data_social_impact",
}
ONE_TEXT = ("data_collection", "data_social_impact")  # the others are lists
NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"
TYPES = {  # what is not here is text
    Image().dtype: mlc.DataType.IMAGE_OBJECT,
    Video().dtype: mlc.DataType.VIDEO_OBJECT,
    "bool": mlc.DataType.BOOL,
    **{name: getattr(mlc.DataType, name.upper()) for name in NUMBERS.split()},
}


def write_croissant(repo: Path, context: ReleaseContext, citation: str) -> None:
    """Write `croissant.json` for the configs of a built repo, whose card is there.

    Args:
        repo: Folder of the repo.
        context: Its release.
        citation: BibTeX of the paper.

    Raises:
        BuildError: mlcroissant finds an error in it.
    """
    made = _metadata(repo, context, citation, read_card(repo / "README.md")).to_json()
    write_file(repo / FILE, json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    try:
        read_croissant(repo / FILE)
    except ValueError as error:
        raise BuildError(f"{FILE} is not valid: {str(error)[:2000]} Report it as a bug of emohub.") from error


def _metadata(repo: Path, context: ReleaseContext, citation: str, card: Card) -> Any:
    configs = [one["config_name"] for one in card.meta["configs"]]
    url = repo_url("dataset", context.id)
    ctx = mlc.Context()
    return mlc.Metadata(
        ctx=ctx,
        name=str(card.meta["pretty_name"]),
        description=" ".join(filter(None, (context.notice, _first_paragraph(card.body)))),
        license=[_license(card.meta, url)],
        url=url,
        version=context.version or None,
        cite_as=citation,
        keywords=list(card.meta.get("tags", ())),
        in_language=list(card.meta.get("language", ())),
        distribution=[
            mlc.FileObject(
                ctx=ctx,
                id=REPO,
                name=REPO,
                description="The repository on the Hub.",
                content_url=f"{url}/tree/main",
                encoding_formats=["git+https"],
                sha256=NO_DIGEST,
            ),
            *(
                mlc.FileSet(
                    ctx=ctx,
                    id=f"{name}-files",
                    name=f"{name}-files",
                    contained_in=[REPO],
                    encoding_formats=["application/x-parquet"],
                    includes=f"{name}/*.parquet",
                )
                for name in configs
            ),
        ],
        record_sets=[
            mlc.RecordSet(
                ctx=ctx,
                id=name,
                name=name,
                description=_described(card, name),
                fields=[_field(ctx, name, *column) for column in features_of(repo / name).items()],
            )
            for name in configs
        ],
        **_responsible(card),
    )


def _field(ctx: Any, config: str, column: str, feature: Any) -> Any:
    """One column; a list of records has a field for each of their parts."""
    about = {"ctx": ctx, "id": f"{config}/{column}", "name": column}
    record = feature.feature if isinstance(feature, List) else feature
    if isinstance(record, dict):
        parts = [
            _leaf(about | {"id": f"{config}/{column}/{name}", "name": name}, config, column, part, name)
            for name, part in record.items()
        ]
        return mlc.Field(**about, repeated=isinstance(feature, List) or None, sub_fields=parts)
    return _leaf(about, config, column, feature, "bytes" if isinstance(feature, Image | Video) else "")


def _leaf(about: Mapping[str, Any], config: str, column: str, feature: Any, path: str) -> Any:
    """A field with a type.

    Args:
        about: Its name and id.
        config: Its config.
        column: Column that it is read from.
        feature: Type of it.
        path: Where it is within a cell; empty where it is the whole cell.
    """
    more: dict[str, Any] = {}
    if isinstance(feature, ClassLabel):
        classes = ", ".join(f"{number} {name}" for number, name in enumerate(feature.names))
        more["description"] = f"Number of a class: {classes}."
    if isinstance(feature, List):
        more |= {"is_array": True, "array_shape": str(feature.length)}
        feature = feature.feature
    transforms = [mlc.Transform(ctx=about["ctx"], json_path=path)] if path else []
    extract = mlc.Extract(ctx=about["ctx"], column=column)
    source = mlc.Source(ctx=about["ctx"], file_set=f"{config}-files", extract=extract, transforms=transforms)
    return mlc.Field(**about, **more, data_types=[TYPES.get(feature.dtype, mlc.DataType.TEXT)], source=source)


def _license(meta: Mapping[str, Any], url: str) -> str:
    """The address of the licence; where it has none, its name."""
    link = str(meta.get("license_link") or LICENSE_LINKS.get(meta["license"]) or meta["license"])
    return f"{url}/blob/main/{link}" if meta.get("license_link") == "LICENSE" else link


def _described(card: Card, config: str) -> str:
    infos = card.meta.get("dataset_info", [])
    found = [one for one in (infos if isinstance(infos, list) else [infos]) if one.get("config_name") == config]
    return str(found[0].get("description", "")) if found else ""


def _first_paragraph(body: str) -> str:
    """The text below the title, without notices."""
    paragraphs = [one.strip() for one in body.split("\n\n")]
    return _plain(next(one for one in paragraphs if one and not one.startswith(("#", ">", "`", "!", "|", "<"))))


def _responsible(card: Card) -> dict[str, Any]:
    """The card's sections by the properties of RAI; those that a card does not have are left out."""
    found = {}
    for heading, name in SECTIONS.items():
        if texts := _section(card.body, heading):
            found[name] = " ".join(texts) if name in ONE_TEXT else texts
    return found


def _section(body: str, heading: str) -> list[str]:
    """Plain text of a section, or of the paragraph that begins with it in bold: one for each item of a list.

    A section ends at its first table, quotation or smaller heading: what follows is about files.
    """
    below = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^[#|>]|\Z)", body, re.DOTALL | re.MULTILINE)
    bold = re.search(rf"^\*\*{re.escape(heading)}:\*\*(.*?)(?=\n\n|\Z)", body, re.DOTALL | re.MULTILINE)
    found = below or bold
    texts = re.split(r"^- |\n\n", found[1], flags=re.MULTILINE) if found else []
    return [text for one in texts if not one.startswith("**Who rated:") and (text := _plain(one))]


def _plain(text: str) -> str:
    """Markdown without links, marks and line breaks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"\*\*|`|<[^>]+>", "", text).split())


def read_croissant(file: Path) -> Any:
    """The metadata as mlcroissant reads them.

    Raises:
        ValueError: the file is not valid; with every error.
    """
    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns of properties that are only recommended
    try:
        return mlc.Dataset(jsonld=file).metadata
    except (mlc.ValidationError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        found = str(error).partition("warning(s)")[0].splitlines()
        listed = [line.strip(" -") for line in found if line.startswith("  -  ")]
        raise ValueError("; ".join(listed) or str(error)) from None
