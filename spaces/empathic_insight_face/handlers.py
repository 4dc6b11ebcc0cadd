"""What happens when a visitor does something: every function here is the end of one event of the page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd

from errors import Refused
from limits import RateLimit, visitor_of
from records import as_json, as_link, picture_csv, picture_record, video_csv, video_record
from settings import model_name
from studio import PictureResult, Studio, VideoResult
from uploads import DATA_URI, Uploads
from views import KINDS, Choices, Views

FOLDER = Path(__file__).parent / "examples"
EXAMPLES = {
    "Elation": "elation.jpg",
    "Anger": "anger.jpg",
    "Surprise": "surprise.jpg",
    "Sadness": "sadness.jpg",
    "Three faces": "group.jpg",
    "No face": "landscape.jpg",
}
OWN = "Your picture"
LIVE_TOP, LIVE_A_MINUTE = 8, 70
LINES = 4  # emotions in the chart of a video at first
# Distinguishable with colour blindness too, on white and on the dark page.
LINE_COLOURS = ("#3b82f6", "#d97706", "#0d9488", "#c026d3", "#dc2626", "#4d7c0f")
STEP = 0.01
RATES = (1, 2, 4)  # frames a second
PICTURE_OUTPUTS, VIDEO_OUTPUTS = 7, 10  # components that a scored file fills, as `layout` lists them
GONE = "<p>The scores are no longer in the memory: send the file again.</p>"
Updates = list[Any]
Read = Callable[[], bytes]
PROGRESS = gr.Progress()


class Handlers:
    """The studio and the views behind the page; methods return one value per output component."""

    def __init__(self, studio: Studio, uploads: Uploads):
        self.studio, self.uploads = studio, uploads
        self.views = Views(studio.scorer, studio.settings.axes)
        self.limit = RateLimit(studio.settings.requests_per_minute)
        self.live_limit = RateLimit(LIVE_A_MINUTE)
        self.model = model_name(studio.settings.model)

    # ---- Pictures: the page

    def picture(self, request: gr.Request, path: str | None, *choices: Any) -> Updates:
        """Score an uploaded picture; one value for each of the page's `PICTURE_OUTPUTS`."""
        if path is None:
            return [gr.skip()] * PICTURE_OUTPUTS
        return self._score(partial(self._take, path), OWN, choices, request)

    def example(self, request: gr.Request, name: str, *choices: Any) -> Updates:
        """Score a picture that comes with the Space."""
        return self._score((FOLDER / EXAMPLES[name]).read_bytes, f"Example: {name}", choices, request)

    def first_example(self, *choices: Any) -> tuple[PictureResult, str, str, str]:
        """What the page shows before anything was sent: a result, its overview and both charts."""
        name, file = next(iter(EXAMPLES.items()))
        result = self.studio.picture((FOLDER / file).read_bytes())
        intensities, distributions = self.charts(result, *choices)
        return result, self._overview(result, f"Example: {name}"), intensities, distributions

    def whole(self, request: gr.Request, result: PictureResult | None, *choices: Any) -> Updates:
        """Score the whole of a picture in which no face was found."""
        if result is None or not result.unscored:
            return self._failed("The picture is no longer here. Send it again.")
        return self._score(lambda: result.unscored, OWN, choices, request, whole=True)

    def _score(
        self, read: Read, title: str, choices: Sequence[Any], request: gr.Request, whole: bool = False
    ) -> Updates:
        try:
            data = read()  # first of all, so that what is refused is deleted too
            self.limit.check(visitor_of(request))
            result = self.studio.picture(data, whole)
        except Refused as error:
            return self._failed(str(error))
        seen = bool(result.faces)
        charts = self.charts(result, *choices) if seen else [gr.skip(), gr.skip()]
        return [
            result,
            None,
            self._overview(result, title),
            gr.update(visible=not seen),
            gr.update(visible=seen),
            *charts,
        ]

    def _overview(self, result: PictureResult, title: str) -> str:
        return self.views.overview(result, title, self._files(result) if result.faces else {})

    def _failed(self, why: str) -> Updates:
        hidden = gr.update(visible=False)
        return [None, None, self.views.notice(why), hidden, hidden, gr.skip(), gr.skip()]

    def _take(self, path: str) -> bytes:
        return self.uploads.take(path, self.studio.settings.picture_mb)

    def charts(
        self, result: PictureResult | None, kind: str, threshold: float, top: float, order: str, way: str
    ) -> Updates:
        """Both charts of a scored picture, as chosen."""
        if result is None or not result.faces:
            return [GONE, GONE]
        most = int(clamped(top, 1, self.studio.width))
        choices = Choices(kind, threshold, most, order)
        return [self.views.intensities(result, choices), self.views.distributions(result, way, most)]

    def _files(self, result: PictureResult) -> dict[str, tuple[str, str]]:
        record = as_json(picture_record(result, self.studio.scorer, self.model))
        return _links("scores", record, picture_csv(result, self.studio.scorer))

    # ---- The camera

    def live(self, path: str | None, request: gr.Request) -> str:
        """Score the largest face of a frame of the camera."""
        if path is None:
            return ""
        try:
            data = self._take(path)
            self.live_limit.check(visitor_of(request))
            face = self.studio.largest(data)
        except Refused as error:
            return self.views.notice(str(error))
        return self.views.live(face, LIVE_TOP)

    # ---- Pictures: the API

    def predict(self, image: str, request: gr.Request, whole_picture: bool = False) -> dict[str, Any]:
        """Score the faces in a picture on 40 emotions: intensities above a neutral face, about 0 to 7.

        An intensity is what people would read in the face, not what its owner feels, and no probability.

        Args:
            image: The picture: JPEG, PNG, WebP, GIF, BMP or TIFF.
            request: Who asks; Gradio fills it in.
            whole_picture: Score the picture as it is, without looking for faces.

        Returns:
            The model, the size of the picture, how many faces were found, notes, and for each scored face, from left
            to right, its box and the square that was scored (left, top, width, height in pixels) and all emotions.
        """
        try:
            if not image:
                raise Refused("There is no picture. Send one as `image`.")
            data = self._take(image)
            self.limit.check(visitor_of(request))
            result = self.studio.picture(data, whole_picture)
        except Refused as error:
            raise gr.Error(str(error), print_exception=False) from error
        return picture_record(result, self.studio.scorer, self.model)

    # ---- Videos

    def video(
        self,
        path: str | None,
        per_second: float,
        kind: str,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> Updates:
        """Score an uploaded video; one value for each of the page's `VIDEO_OUTPUTS`."""
        if path is None:
            return [gr.skip()] * VIDEO_OUTPUTS
        data = partial(self.uploads.take, path, self.studio.settings.video_mb)
        return self._score_video(data, per_second, kind, request, progress)

    def video_example(
        self, per_second: float, kind: str, request: gr.Request, progress: gr.Progress = PROGRESS
    ) -> Updates:
        """Score the video that comes with the Space."""
        return self._score_video((FOLDER / "video.mp4").read_bytes, per_second, kind, request, progress)

    def _score_video(
        self, read: Read, per_second: float, kind: str, request: gr.Request, progress: gr.Progress
    ) -> Updates:
        def report(done: int, of: int) -> None:
            progress((done, of), desc="Scoring frames", unit="frames")

        try:
            data = read()
            self.limit.check(visitor_of(request))
            result = self.studio.video(data, clamped(per_second, RATES[0], RATES[-1]), report)
        except Refused as error:
            return [
                None,
                None,
                self.views.notice(str(error)),
                gr.update(visible=False),
                *[gr.skip()] * (VIDEO_OUTPUTS - 4),
            ]
        emotions = self._strongest(result)
        first, last = result.seconds[0], result.seconds[-1]
        peak = result.seconds[int(np.nan_to_num(result.scores, nan=-np.inf).max(axis=1).argmax())]
        time = gr.update(minimum=first, maximum=max(last, first + STEP), step=STEP, value=peak)
        downloads = self.views.downloads(result.notes, self._video_files(result))
        result = replace(result, film=b"")  # it is in the page now
        charts = self.lines(result, emotions, kind)
        frame = self.frame(result, peak, kind, emotions)
        return [result, None, downloads, gr.update(visible=True), emotions, time, *charts, frame]

    def _strongest(self, result: VideoResult) -> list[str]:
        peaks = np.nanmax(result.scores, axis=0)
        return [self.studio.scorer.labels[index] for index in np.argsort(-peaks)[:LINES]]

    def lines(self, result: VideoResult | None, emotions: list[str], kind: str) -> Updates:
        """The legend, the chart and the table of the chosen emotions over time."""
        if result is None:
            return [GONE, gr.skip(), gr.skip()]
        emotions = self._drawn(emotions)
        columns = [self.studio.scorer.labels.index(emotion) for emotion in emotions]
        raw = self.studio.scorer.neutral if KINDS[kind] == "raw" else 0
        scores = (result.scores + raw)[:, columns]
        table = pd.DataFrame(
            {
                "seconds": np.repeat(result.seconds, len(columns)),
                "emotion": list(emotions) * len(result.seconds),
                "intensity": scores.ravel(),
            }
        )
        colours = dict(zip(emotions, LINE_COLOURS, strict=False))
        low, high = self.studio.settings.axes[KINDS[kind]]
        ends = [min([low, *table["intensity"].dropna()]), max([high, *table["intensity"].dropna()])]
        chart = gr.LinePlot(value=table, y_lim=ends, color_map=colours)
        return [self.views.legend(colours), chart, self.views.timetable(result, emotions, kind)]

    def _drawn(self, emotions: Sequence[str]) -> list[str]:
        """The emotions that have a line, whatever a client sends."""
        return [emotion for emotion in emotions if emotion in self.studio.scorer.labels][: len(LINE_COLOURS)]

    def frame(self, result: VideoResult | None, seconds: float, kind: str, emotions: Sequence[str]) -> str:
        """The scored frame that is nearest to a time; its bars have the colours of the lines."""
        if result is None:
            return ""
        index = int(np.argmin([abs(time - seconds) for time in result.seconds]))
        return self.views.frame(result, index, kind, dict(zip(self._drawn(emotions), LINE_COLOURS, strict=False)))

    def _video_files(self, result: VideoResult) -> dict[str, tuple[str, str]]:
        record = as_json(video_record(result, self.studio.scorer, self.model))
        film = {"Annotated video": ("video.mp4", as_link(result.film, "video/mp4"))}
        return film | _links("video", record, video_csv(result, self.studio.scorer))


def clamped(value: Any, low: float, high: float) -> float:
    """A number between two ends, whatever a client sends; `low` for what is not a number.

    >>> clamped(1e9, 1, 40), clamped("many", 1, 40), clamped(float("nan"), 1, 40)
    (40, 1, 1)
    """
    return max(low, min(high, value)) if isinstance(value, int | float) and value == value else low


def _links(name: str, record: str, table: str) -> dict[str, tuple[str, str]]:
    return {
        "JSON": (f"{name}.json", as_link(record.encode(), "application/json")),
        "CSV": (f"{name}.csv", as_link(table.encode(), "text/csv")),
    }


def _path_of(component: Any, payload: Any) -> str | None:
    if payload is None or payload.path:
        return payload and payload.path
    url = payload.url or ""
    return url if url.startswith(DATA_URI) else None  # a frame of the camera; no other address is followed


def hand_over_unread() -> None:
    """Give handlers the path of an upload: Gradio would open the file itself, and answer for a broken one.

    On the classes, because Gradio makes new components of them for a session when it likes. A subclass would do, but
    Gradio writes a stub file beside the source of each.
    """
    for component in (gr.Image, gr.UploadButton):
        component.preprocess = _path_of  # type: ignore[assignment,method-assign]  # replaced on purpose
