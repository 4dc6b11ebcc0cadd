"""Write `emohub/hub/words.json`, the vocabulary of card metadata, from the npm packages of Hugging Face.

    python tools/hub_words.py            # the newest packages; needs node and npm
    python tools/hub_words.py --check    # only says whether the table is out of date (exit status 1)

Tasks and evaluation frameworks come from `@huggingface/tasks`, two-letter languages from `@huggingface/languages`,
licences, Space SDKs and colours, and types of gate fields from the type declarations of `@huggingface/hub`. Nothing is
installed: packages are read in a temporary folder. Words that no package has are listed by hand, with their source, in
`emohub/hub/words.py`.
"""

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

TABLE = Path(__file__).parents[1] / "emohub" / "hub" / "words.json"
TASKS, LANGUAGES, HUB = "@huggingface/tasks", "@huggingface/languages", "@huggingface/hub"
PACKAGES = (TASKS, LANGUAGES, HUB)
TIMEOUT = 60  # seconds for one call of npm or node
NPM = ("--prefer-offline", "--fetch-retries=0", "--fetch-timeout=15000", "--no-audit", "--no-update-notifier")
EXPORTS = """
const [tasks, languages] = process.argv.slice(1).map(require);
console.log(JSON.stringify({
  tasks: tasks.PIPELINE_TYPES,
  task_ids: tasks.SUBTASK_TYPES,
  evaluation_frameworks: Object.keys(tasks.EVALUATION_FRAMEWORKS),
  languages: Object.keys(languages.LANGUAGES_ISO_639_1),
}));
"""


class WordsError(Exception):
    """npm or node is missing or failed, or a package no longer holds what is read from it."""


def fetch_words(versions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole table, from packages of npm.

    Args:
        versions: Package → version; by default the newest of each.

    Raises:
        WordsError: npm or node failed, for example without a network, or a package is laid out in another way.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wanted = [f"{package}@{(versions or {}).get(package, 'latest')}" for package in PACKAGES]
        packed = json.loads(_run(["npm", "pack", "--json", *NPM, *wanted], folder))
        for one in packed:
            _unpack(folder / one["filename"], folder / one["name"])
        exported = json.loads(_run(["node", "-e", EXPORTS, str(folder / TASKS), str(folder / LANGUAGES)], folder))
        types = folder / HUB / "dist" / "src" / "types"
        declared = {path.name: path.read_text(encoding="utf-8") for path in types.rglob("*.d.ts")}
    return {
        "packages": {
            one["name"]: {"version": one["version"], "integrity": one["integrity"]}
            for one in sorted(packed, key=lambda one: one["name"])
        },
        **{key: sorted(set(words)) for key, words in {**exported, **words_of_types(declared)}.items()},
    }


def words_of_types(declared: Mapping[str, str]) -> dict[str, list[str]]:
    """Licences, Space colours, Space SDKs and types of gate fields, from TypeScript declarations.

    Args:
        declared: Name of a declaration file of `@huggingface/hub` → its text.

    Raises:
        WordsError: a declaration is missing or holds no union of strings.
    """
    patterns = {
        "licenses": ("public.d.ts", r"export type License =([^;]+);"),
        "space_sdks": ("public.d.ts", r"export type SpaceSdk =([^;]+);"),
        "space_colors": ("api-space.d.ts", r"\bcolorFrom\?:([^;]+);"),
        "gate_fields": ("api-dataset.d.ts", r"\bextra_gated_fields\?: \{(.*?)\n    \};"),
    }
    found = {}
    for key, (file, pattern) in patterns.items():
        match = re.search(pattern, declared.get(file, ""), re.DOTALL)
        found[key] = re.findall(r'"([^"\s]+)"', re.sub(r"/\*.*?\*/", "", match[1], flags=re.DOTALL)) if match else []
        if len(found[key]) < 2:
            raise WordsError(f"{HUB}: {file} no longer declares {key} as it did; adapt tools/hub_words.py.")
    return found


def differences(table: Mapping[str, Any], newer: Mapping[str, Any]) -> list[str]:
    """What a newer table adds and takes away, a line each; versions of packages do not count."""
    return [
        f"{key}: {sign}{word}"
        for key in sorted({*table, *newer} - {"packages"})
        for sign, one, other in (("+", newer, table), ("-", table, newer))
        for word in sorted({*one.get(key, ())} - {*other.get(key, ())})
    ]


def as_text(table: Mapping[str, Any]) -> str:
    """The table as it is committed."""
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except FileNotFoundError as error:
        raise WordsError(f"{command[0]} is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise WordsError(f"{command[0]} did not answer within {TIMEOUT} s.") from error
    except subprocess.CalledProcessError as error:
        raise WordsError(f"{command[0]} failed: {' '.join(error.stderr.split())[:300]}") from error
    return done.stdout


def _unpack(archive: Path, folder: Path) -> None:
    """The files below `package/`; Python before 3.11.4 has no filter that keeps members inside of a folder."""
    with tarfile.open(archive) as packed:
        for member in packed:
            path = PurePosixPath(member.name)
            inside = member.isfile() and path.parts[0] == "package" and ".." not in path.parts
            if inside and (file := packed.extractfile(member)):
                place = folder.joinpath(*path.parts[1:])
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.read())


def main() -> int:
    """Write the table, or compare it with the newest packages."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare; exit with 1 if the table is out of date")
    check = parser.parse_args().check
    try:
        newest = fetch_words()
    except WordsError as error:
        print(f"The Hub's vocabulary was not read: {error}", file=sys.stderr)
        return 2
    known = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else {}
    changed = differences(known, newest)
    print("\n".join(changed) or "Every word is the same.")
    if not check:
        TABLE.write_text(as_text(newest), encoding="utf-8")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
