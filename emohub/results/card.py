"""The card of a results dataset, with the types of its entries, so that `load_dataset` reads them together."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from datasets import Features, List, Value
from pydantic import BaseModel

from emohub.data.runs import write_file
from emohub.hub.templates import environment
from emohub.results.entry import Entry

CARD = "README.md"
_VALUES = {str: "string", int: "int64", float: "float64"}


def write_card(folder: Path) -> None:
    """Write `README.md`; it names no license, which whoever publishes the results chooses."""
    info = {"config_name": "entries", "features": entry_features()._to_yaml_list()}
    text = yaml.safe_dump({"dataset_info": info}, sort_keys=False, allow_unicode=True).strip()
    write_file(folder / CARD, environment().get_template("results/card.md.j2").render(info=text))


def entry_features() -> Features:
    """The types of an entry, from its schema."""
    return Features(_of(Entry))


def _of(kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _of(arguments[0])
    if origin in (Union, UnionType):
        return _of(next(one for one in arguments if one is not NoneType))
    if origin is Literal:
        return Value("string")
    if origin is list:
        return List(_of(arguments[0]))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: _of(field.annotation) for name, field in kind.model_fields.items()}
    return Value(_VALUES[kind])
