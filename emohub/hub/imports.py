"""The files of the kit that a module depends on: its imports, read from the source, at the top and in functions."""

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import emohub

PACKAGE = Path(emohub.__file__).parent


def imported(path: Path, package: Path = PACKAGE, *, within: str = "") -> Iterator[tuple[str, ...]]:
    """Dotted names that a module may import, in parts; for `from a import b` both `a` and `a.b`.

    Imports inside functions count, imports for the type checker only (`if TYPE_CHECKING:`) do not.

    Args:
        path: File of the module.
        package: Folder of the top-level package that relative imports are resolved in.
        within: Name of a function at the top of the module, to read its imports only.
    """
    tree: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    if within:
        tree = next(node for node in ast.iter_child_nodes(tree) if getattr(node, "name", None) == within)
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node.level, package) + tuple((node.module or "").split(".") if node.module else ())
            yield base
            yield from ((*base, alias.name) for alias in node.names)


def imported_files(path: Path, package: Path = PACKAGE, *, within: str = "") -> list[Path]:
    """Files of the package that a module imports by name; see `imported` for the arguments."""
    return [file for name in imported(path, package, within=within) for file in _files(name, package)]


def closure(roots: Iterable[Path], *, without: Collection[Path] = (), package: Path = PACKAGE) -> list[Path]:
    """The files of the package that some modules depend on: the modules, their imports, and the imports of these.

    Args:
        roots: Files to begin with; they need not be in the package.
        without: Files that are neither listed nor followed.
        package: Folder of the top-level package.

    Returns:
        Sorted files, without `roots` outside the package.
    """
    found: set[Path] = set()
    waiting = [*roots]
    while waiting:
        path = waiting.pop()
        if path in found or path in without:
            continue
        found.add(path)
        waiting += _packages(path, package)
        waiting += imported_files(path, package)
    return sorted(path for path in found if path.is_relative_to(package))


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, without those for the type checker only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node)


def _base(path: Path, level: int, package: Path) -> tuple[str, ...]:
    """The first parts of a relative import; empty for an absolute one, or if the file is outside the package."""
    if not level or not path.is_relative_to(package):
        return ()
    parts = (package.name, *path.relative_to(package).parts[:-1])
    return parts[: len(parts) - level + 1]


def _packages(path: Path, package: Path) -> list[Path]:
    """`__init__.py` of every package above a file of the package: importing the file runs them."""
    if not path.is_relative_to(package):
        return []
    above = (folder / "__init__.py" for folder in path.parents if folder.is_relative_to(package))
    return [one for one in above if one.is_file()]


def _files(name: tuple[str, ...], package: Path) -> list[Path]:
    """The file of a dotted name; none if it is a name inside a module."""
    if name[:1] != (package.name,):
        return []
    module = package.joinpath(*name[1:])
    return [path for path in (module / "__init__.py", module.with_suffix(".py")) if path.is_file()]
