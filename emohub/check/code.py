"""Code in the repos: it parses, needs no emohub, and its requirements cover its imports. Nothing runs here."""

import ast
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from emohub.check.base import Check, Failure, Scope, Subject, truncate_list
from emohub.errors import printable

CODED: tuple[Scope, ...] = ("model", "metric", "space")
SPACES: tuple[Scope, ...] = ("metric", "space")
REQUIREMENTS = "requirements.txt"
# Module → distributions, where the names differ and the package may not be installed here.
DISTRIBUTIONS: Mapping[str, frozenset[str]] = {
    "PIL": frozenset({"pillow"}),
    "cv2": frozenset({"opencv-python-headless", "opencv-python", "opencv-contrib-python"}),
    "sklearn": frozenset({"scikit-learn"}),
    "yaml": frozenset({"pyyaml"}),
    "skimage": frozenset({"scikit-image"}),
    "gradio_client": frozenset({"gradio"}),
}
# Dependencies of a package that need no line of their own.
IMPLIED: Mapping[str, frozenset[str]] = {
    "evaluate": frozenset({"datasets", "huggingface-hub", "numpy", "pandas", "tqdm"}),
    "datasets": frozenset({"huggingface-hub", "numpy", "pandas", "pyarrow", "tqdm"}),
    "transformers": frozenset({"huggingface-hub", "numpy", "safetensors", "tqdm"}),
    "accelerate": frozenset({"torch", "huggingface-hub", "numpy"}),
    "timm": frozenset({"torch", "huggingface-hub"}),
    "gradio": frozenset({"huggingface-hub", "numpy", "pandas", "pillow"}),
}
HEAVY = ("torch", "transformers", "tensorflow", "jax")
PREINSTALLED = frozenset({"gradio", "spaces"})  # on every Gradio Space of the Hub
_ONE_AT_A_TIME = threading.Lock()


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file; Python 3.11's parser counts its depth wrongly when two threads parse at once.

    Raises:
        OSError: the file cannot be read.
        SyntaxError, ValueError: it is not valid Python.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(path.read_bytes())


def parses(subject: Subject) -> Iterator[Failure]:
    """Every Python file parses."""
    for name in subject.having(".py"):
        try:
            parsed(subject.folder / name)
        except (SyntaxError, ValueError) as error:
            found = f"is not valid Python: {printable(error)}"
            yield subject.failure(name, found, "Correct it in the source folder and build again.")


def _tree(subject: Subject, name: str) -> ast.AST:
    def parse() -> ast.AST:
        try:
            return parsed(subject.folder / name)
        except (SyntaxError, ValueError):
            return ast.Module([], [])  # code.parse reports it

    tree: ast.AST = subject.once(f"tree of {name}", parse)
    return tree


def without_kit(subject: Subject) -> Iterator[Failure]:
    """Nothing imports emohub: users of the repo do not have it."""
    for name in subject.having(".py"):
        if "emohub" in modules(_tree(subject, name), optional=True):
            do = "Copy what is needed into the repo: it must load without the kit."
            yield subject.failure(name, "imports emohub", do)


def siblings(subject: Subject) -> Iterator[Failure]:
    """A relative import leads to a file of the repo."""
    for name in subject.having(".py"):
        parents = PurePosixPath(name).parents
        for node in ast.walk(_tree(subject, name)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = str(parents[node.level - 1]) if node.level <= len(parents) else ".."
                for module in [node.module] if node.module else [alias.name for alias in node.names]:
                    path = f"{base}/{module.replace('.', '/')}".removeprefix("./")
                    if f"{path}.py" not in subject.files and f"{path}/__init__.py" not in subject.files:
                        found = f"imports {'.' * node.level}{module}, which is not in the repo"
                        yield subject.failure(name, found, "Add the file: a repo must be self-contained.")


def requirements(subject: Subject) -> Iterator[Failure]:
    """`requirements.txt` names every package that the code imports."""
    named, bad = required_packages(subject)
    for line in bad:
        found = f"{printable(line)!r} is not a requirement"
        yield subject.failure(REQUIREMENTS, found, "Write NAME or NAME>=VERSION.")
    have = {name for known in named for name in (known, *IMPLIED.get(known, ()))}
    if subject.meta.get("sdk") == "gradio":
        have |= PREINSTALLED | IMPLIED["gradio"]
    own = {name.partition("/")[0].removesuffix(".py") for name in subject.having(".py")}
    installed = _installed()
    for name in subject.having(".py"):
        for module in sorted(modules(_tree(subject, name)) - own - sys.stdlib_module_names - {"emohub"}):
            known = {canonicalize_name(one) for one in installed.get(module, ())}
            if not have & (known | DISTRIBUTIONS.get(module, frozenset()) | {canonicalize_name(module)}):
                found = f"imports {module}, which {REQUIREMENTS} does not name"
                yield subject.failure(name, found, f"Add it to {REQUIREMENTS}.")


def absent_packages(subject: Subject) -> tuple[str, ...]:
    """What an installation of `requirements.txt` does not have: emohub, and large packages that nothing requires."""
    named = required_packages(subject)[0]
    have = {name for known in named for name in (known, *IMPLIED.get(known, ()))}
    return ("emohub", *(name for name in HEAVY if name not in have))


@cache
def _installed() -> Mapping[str, list[str]]:
    """Module → distributions that are installed here; a second to find out."""
    return packages_distributions()


def required_packages(subject: Subject) -> tuple[dict[str, SpecifierSet], list[str]]:
    """Distributions in `requirements.txt` with their versions, and the lines that are not requirements."""
    named: dict[str, SpecifierSet] = {}
    bad = []
    lines = subject.text(REQUIREMENTS).splitlines() if REQUIREMENTS in subject.files else []
    for line in (line.partition(" #")[0].strip() for line in lines):
        if not line or line.startswith(("#", "-")):
            continue
        try:
            found = Requirement(line)
        except InvalidRequirement:
            bad.append(line)
        else:
            named[canonicalize_name(found.name)] = found.specifier
    return named, bad


def modules(tree: ast.AST, optional: bool = False) -> set[str]:
    """Top-level packages that code imports, also with `import_module("name")`; siblings with a dot are left out.

    Args:
        tree: The code.
        optional: Also optional ones, imported in a `try` that catches ImportError.
    """
    found: set[str] = set()
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and not optional and any(map(_catches_import, node.handlers)):
            skipped.update(inner for line in node.body for inner in ast.walk(line))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call) and _imports(node.func) and node.args:
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                found.add(node.args[0].value.partition(".")[0])
    return found - {""}


def _catches_import(handler: ast.ExceptHandler) -> bool:
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else set()
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception"}) or handler.type is None


def _imports(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def sdk(subject: Subject) -> Iterator[Failure]:
    """The card's app exists; its SDK version is complete and allowed by the requirements."""
    meta = subject.meta
    app = meta.get("app_file", "app.py")
    if app not in subject.files:
        yield subject.failure(
            "README.md", f"app_file {printable(app)!r} does not exist", "Name the file that the Space runs."
        )
    if meta.get("sdk") != "gradio":
        return
    try:
        version = Version(str(meta.get("sdk_version")))
    except InvalidVersion:
        found = f"sdk_version is {printable(meta.get('sdk_version'))!r}"
        yield subject.failure("README.md", found, "Write the full version of Gradio, such as 6.31.0.")
        return
    wanted = required_packages(subject)[0].get("gradio", SpecifierSet())
    if len(version.release) != 3:
        found = f"sdk_version {version} is not a full version"
        yield subject.failure("README.md", found, "Write all three numbers, and quote them.")
    elif version not in wanted:
        found = f"sdk_version {version} is not allowed by {REQUIREMENTS} (gradio{wanted})"
        yield subject.failure("README.md", found, "Make the two agree.")


def metric_file(subject: Subject) -> Iterator[Failure]:
    """`evaluate.load` finds the file by the name of the repo."""
    if f"{subject.name}.py" not in subject.files:
        found = f"{subject.name}.py is missing; there are {truncate_list(subject.having('.py')) or 'no Python files'}"
        yield subject.failure("", found, "Name the file as the repo: evaluate.load looks for it.")


CHECKS = (
    Check("code.parse", CODED, "code parses", parses),
    Check("code.standalone", CODED, "nothing imports emohub", without_kit),
    Check("code.siblings", CODED, "relative imports lead to files", siblings),
    Check("code.requirements", SPACES, "requirements cover the imports", requirements),
    Check("space.sdk", SPACES, "app_file and sdk_version are valid", sdk),
    Check("metric.file", ("metric",), "evaluate.load finds the file", metric_file),
)
