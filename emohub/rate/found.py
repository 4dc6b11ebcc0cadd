"""Raters, protocols, generators by name: one file each, in their package or below a folder of `EMOHUB_PATH`."""

import dataclasses
import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from emohub.errors import EmohubError
from emohub.hub.folders import hub_roots, import_file

RATE = "emohub.rate"


def names(kind: str, package: str = RATE) -> list[str]:
    """What there is of a kind, sorted.

    Args:
        kind: Name of a folder of the package.
        package: Where the kind is at home.

    Example:
        >>> "top-five" in names("protocols")
        True
    """
    return sorted({_name(path) for path in _files(kind, package)})


def load(kind: str, name: str, package: str = RATE) -> Any:
    """The class that the file of a name defines under the name of the kind: `Rater`, `Protocol`, `Generator`.

    Args:
        kind: "raters", "protocols" or "generators".
        name: As on the command line, for example "label-ratings".
        package: Where the kind is at home.

    Raises:
        EmohubError: there is no such file, or it does not define the class.
    """
    path = next((path for path in _files(kind, package) if _name(path) == name), None)
    if path is None:
        raise EmohubError(f"There is no {kind[:-1]} {name!r}; valid: {', '.join(names(kind, package))}.")
    found = getattr(_module(kind, path, package), kind[:-1].title(), None)
    if not isinstance(found, type):
        raise EmohubError(f"{path} must define a class {kind[:-1].title()}.")
    return found


def with_options(made: type, options: Mapping[str, Any], what: str) -> Any:
    """An instance of a dataclass whose fields are its options.

    Args:
        made: The dataclass.
        options: Option → value, texts as they come from the command line; None is "not given".
        what: What it is, for messages.

    Raises:
        EmohubError: an option that it does not take, or a value that is not of the field's type.
    """
    fields = {field.name: field for field in dataclasses.fields(made) if field.init}
    given = {name: value for name, value in options.items() if value is not None}
    if unknown := [name for name in given if name not in fields]:
        valid = ", ".join(_flag(name) for name in fields) or "none"
        raise EmohubError(f"{what} takes no {', '.join(map(_flag, unknown))}; its options: {valid}.")
    if missing := [
        name
        for name, field in fields.items()
        if name not in given and field.default is field.default_factory is dataclasses.MISSING
    ]:
        raise EmohubError(f"{what} needs {', '.join(map(_flag, missing))}.")
    return made(**{name: _value(fields[name].type, value, f"{what}: {_flag(name)}") for name, value in given.items()})


def given_to(
    rater: str, protocol: str | None, options: Mapping[str, Any], frames: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options that are given, divided between a rater and a protocol by the fields that they have.

    Args:
        rater: NAME or NAME:WHAT.
        protocol: Name, or None.
        options: Option → value; None is "not given".
        frames: Of a video, for raters that sample them.

    Raises:
        EmohubError: an option that neither takes; the message names the options of both.
    """
    kind = rater.partition(":")[0]
    takers = {f"the rater {kind!r}": _fields(load("raters", kind))}
    if protocol:
        takers[f"the protocol {protocol!r}"] = _fields(load("protocols", protocol))
    given = {name: value for name, value in options.items() if value is not None}
    if unknown := [name for name in given if not any(name in fields for fields in takers.values())]:
        valid = "; ".join(f"{who}: {', '.join(map(_flag, fields)) or 'none'}" for who, fields in takers.items())
        raise EmohubError(f"Nothing here takes {', '.join(map(_flag, unknown))}. What is taken by {valid}.")
    of_rater, *rest = takers.values()
    more = {"frames": frames} if "frames" in of_rater else {}
    return (
        {name: value for name, value in given.items() if name in of_rater} | more,
        {name: value for name, value in given.items() if any(name in fields for fields in rest)},
    )


def settings(pairs: Sequence[str]) -> dict[str, str]:
    """Options from NAME=VALUE.

    Raises:
        EmohubError: a text without a name.

    Example:
        >>> settings(["check-count=no"])
        {'check_count': 'no'}
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip("-"):
            raise EmohubError(f"--set is {pair!r}; must be NAME=VALUE, for example check-count=no.")
        found[name.strip("-").replace("-", "_")] = value
    return found


def _fields(made: type) -> list[str]:
    """The options of a rater or protocol."""
    return [field.name for field in dataclasses.fields(made) if field.init and field.name != "what"]


def _value(kind: Any, value: Any, what: str) -> Any:
    """A text of the command line as the type of a field; other values as they are."""
    kinds = get_args(kind) or (kind,)
    if not isinstance(value, str) or str in kinds:
        return value
    try:
        if bool in kinds:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
        return next(one for one in kinds if one in (int, float, Path))(value)
    except (KeyError, ValueError, StopIteration) as error:
        raise EmohubError(f"{what} is {value!r}; must be a value of {kind}.") from error


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _home(kind: str, package: str) -> Path:
    return Path(importlib.import_module(package).__path__[0]) / kind


def _files(kind: str, package: str) -> Iterator[Path]:
    for folder in (_home(kind, package), *(root / kind for root in hub_roots())):
        if folder.is_dir():
            yield from (path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_"))


def _name(path: Path) -> str:
    return path.stem.replace("_", "-")


def _module(kind: str, path: Path, package: str) -> ModuleType:
    if path.parent == _home(kind, package):
        return importlib.import_module(f"{package}.{kind}.{path.stem}")
    return import_file(f"emohub_{kind}_{path.stem}", path)
