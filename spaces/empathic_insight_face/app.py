"""The demo Space of Empathic Insight Face: `python app.py`."""

import os
import tempfile
from threading import Thread

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from temporary import own_folder
from uploads import CountUploads, Uploads

# Before Gradio is imported: it reads once where its temporary files go.
UPLOADS = Uploads(own_folder("empathic-insight-face-"))
tempfile.tempdir = str(UPLOADS.folder)

from starlette.middleware import Middleware

from layout import CSS, build
from settings import MB, read_settings
from studio import Studio
from theme import THEME

SESSIONS = 100  # visitors whose last result is kept in memory


def main() -> None:
    """Load the model, build the page, serve it on this machine only, unless the environment names an address."""
    settings = read_settings()
    page = build(Studio(settings), UPLOADS)
    Thread(target=UPLOADS.keep_sweeping, args=(60 * settings.forget_minutes,), daemon=True).start()
    page.queue(max_size=settings.waiting, default_concurrency_limit=settings.at_once)
    page.launch(
        server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        max_file_size=int(max(settings.picture_mb, settings.video_mb) * MB),
        state_session_capacity=SESSIONS,
        mcp_server=True,
        ssr_mode=False,
        show_error=True,
        theme=THEME,
        css=CSS,
        footer_links=["api", "settings"],
        app_kwargs={"middleware": [Middleware(CountUploads, uploads=UPLOADS)]},
    )


if __name__ == "__main__":
    main()
