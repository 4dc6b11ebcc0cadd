"""Where a study and its answers are: the environment of the Space, its disk, the Hub."""

import os
import tempfile
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from service import Service
from store import Store, sqlite_url
from study import Study, StudyError, read_study

FOLDER = Path(__file__).parent
LASTING = Path("/data")  # where the Hub mounts storage that outlives a restart
DEMO = FOLDER / "demo" / "study.toml"


def study_file() -> Path:
    """The study: what STUDY names; else the one that a release put here; else the demo."""
    if named := os.environ.get("STUDY"):
        return Path(named)
    own = FOLDER / "study" / "study.toml"
    return own if own.is_file() else DEMO


def open_service(file: Path, *, mirrored: bool = True) -> Service:
    """Open a study and its store.

    Args:
        file: `study.toml`.
        mirrored: Whether the copy on the Hub is kept, where the study names one.

    Raises:
        StudyError: the study is not valid, or its answers would not last.
    """
    study = read_study(file)
    try:
        store = Store(_store_url(file, study), study.rules.name)
    except (SQLAlchemyError, ValueError) as error:
        raise StudyError(f"Its store cannot be opened: {error}") from error
    if secret := os.environ.get("STUDY_SECRET"):
        store.secret = secret
    service = Service(study, store)
    if mirrored and study.rules.answers_dataset:
        _mirror(service, store, study.rules.answers_dataset)
    return service


def _store_url(file: Path, study: Study) -> str:
    """STUDY_STORE; else, on the Hub, storage that lasts; else a file beside the study.

    Raises:
        StudyError: on the Hub, answers would be lost at the next restart.
    """
    if url := os.environ.get("STUDY_STORE"):
        return url
    name = f"{study.rules.name}.sqlite"
    if not os.environ.get("SPACE_ID"):
        return sqlite_url(
            (tempfile.mkdtemp(prefix="demo-study-") / Path(name)) if file == DEMO else file.with_name(name)
        )
    if LASTING.is_dir() and os.access(LASTING, os.W_OK):
        return sqlite_url(LASTING / name)
    if not study.rules.answers_dataset and file != DEMO:
        raise StudyError(
            "This Space's disk is lost at every restart, and every answer with it. Add persistent storage, "
            'or name a dataset in study.toml: answers_dataset = "ORG/NAME" (with the secrets HF_TOKEN and '
            "STUDY_SECRET), or a database in the secret STUDY_STORE."
        )
    if study.rules.answers_dataset and not os.environ.get("STUDY_SECRET"):
        raise StudyError(
            "Without persistent storage the secret STUDY_SECRET must be set to a long random text, or annotators' "
            "links stop working at a restart."
        )
    return sqlite_url(Path(tempfile.mkdtemp(prefix="study-")) / name)


def _mirror(service: Service, store: Store, repo: str) -> None:
    from mirror import Mirror  # with the Hub's client, which a study on this machine does without

    mirror = Mirror(repo, Path(tempfile.mkdtemp(prefix="study-events-")), os.environ.get("HF_ENDPOINT"))
    try:
        mirror.restore(store)
        mirror.start()
    except (OSError, ValueError) as error:
        raise StudyError(
            f"The dataset {repo} cannot be used: {type(error).__name__}. The secret HF_TOKEN must have the "
            "right to write to it."
        ) from error
    service.watchers.append(mirror.watch)
