"""The annotation Space: `python app.py`, with STUDY naming a study.toml."""

import logging
import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from operation import open_service, study_file
from server import make_server
from study import StudyError


def main() -> None:
    """Open the study and its store, and serve it on this machine only, unless the environment names an address."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        service = open_service(study_file())
    except StudyError as error:
        sys.exit(f"The study cannot start. {error}")
    make_server(service).launch(
        server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        ssr_mode=False,
        max_file_size=1,  # bytes: nothing is uploaded here
        footer_links=[],
    )


if __name__ == "__main__":
    main()
