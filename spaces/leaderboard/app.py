"""The leaderboard: `python app.py`; SPACE_SETTINGS='{"results": "ORG/results"}' names other results."""

import logging
import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from huggingface_hub.errors import HfHubHTTPError

from board_server import make_server
from board_settings import read_settings


def main() -> None:
    """Read the results and serve them on this machine only, unless the environment names an address."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        server = make_server(read_settings())
    except (ValueError, OSError, HfHubHTTPError) as error:
        sys.exit(f"The leaderboard cannot start: {error}")
    server.launch(
        server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        ssr_mode=False,
        max_file_size=1,  # bytes: nothing is uploaded here
        footer_links=[],
    )


if __name__ == "__main__":
    main()
