"""Which files of the kit a module is made of: its imports, read from the source, wherever in it they stand."""

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import emohub

PACKAGE = Path(emohub.__file__).parent


def imported(path: Path, package: Path = PACKAGE) -> Iterator[tuple[str, ...]]:
    """Dotted names that a module may import, in parts; for `from a import b` both `a` and `a.b`.

    Imports inside functions count, imports for the type checker only (`if TYPE_CHECKING:`) do not.

    Args:
        path: File of the module.
        package: Folder of the top-level package that relative imports stay in.
    """
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node.level, package) + tuple((node.module or "").split(".") if node.module else ())
            yield base
            yield from ((*base, alias.name) for alias in node.names)


def closure(roots: Iterable[Path], *, without: Collection[Path] = (), package: Path = PACKAGE) -> list[Path]:
    """The files of the package that some modules are made of: they, what they import, and so on.

    Args:
        roots: Files to begin with; they need not be in the package.
        without: Files that are not followed and not listed.
        package: Folder of the top-level package.

    Returns:
        Sorted files; `roots` outside the package are not among them.
    """
    found: set[Path] = set()
    waiting = [*roots]
    while waiting:
        path = waiting.pop()
        if path in found or path in without:
            continue
        found.add(path)
        waiting += _packages(path, package)
        waiting += [file for name in imported(path, package) for file in _files(name, package)]
    return sorted(path for path in found if path.is_relative_to(package))


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node)


def _base(path: Path, level: int, package: Path) -> tuple[str, ...]:
    """What a relative import begins with; empty for an absolute one, or where the file is outside the package."""
    if not level or not path.is_relative_to(package):
        return ()
    parts = (package.name, *path.relative_to(package).parts[:-1])
    return parts[: len(parts) - level + 1]


def _packages(path: Path, package: Path) -> list[Path]:
    """`__init__.py` of every package that a file of the package is in: importing the file runs them."""
    if not path.is_relative_to(package):
        return []
    above = (folder / "__init__.py" for folder in path.parents if folder.is_relative_to(package))
    return [one for one in above if one.is_file()]


def _files(name: tuple[str, ...], package: Path) -> list[Path]:
    """The file that a dotted name stands for; none where it is a name inside a module."""
    if name[:1] != (package.name,):
        return []
    place = package.joinpath(*name[1:])
    return [path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()]
