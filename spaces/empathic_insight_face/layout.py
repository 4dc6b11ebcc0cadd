"""The page: its components, and which event calls which handler."""

from typing import Any

import gradio as gr

from handlers import EXAMPLES, LINE_COLOURS, RATES, Handlers, hand_over_unread
from scoring import DISTRIBUTIONS
from settings import FOLDER, Settings, hub_link, model_name
from studio import Studio
from theme import SCROLL
from uploads import Uploads
from views import KINDS, ORDERS

TITLE = "Empathic Insight Face"
CSS = (FOLDER / "style.css").read_text(encoding="utf-8")
READ_OUT = '<div role="status">${value}</div>'  # for screen readers: what changes in here is read aloud
SUFFIXES = (".mp4", ".mov", ".m4v", ".webm")
TOP = 10
MODEL: dict[str, Any] = {"concurrency_id": "model", "api_visibility": "private"}  # events that run the model
LIVE_EVERY, LIVE_SECONDS = 1.0, 30
DRAW: dict[str, Any] = {
    "api_visibility": "private",
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
}


def build(studio: Studio, uploads: Uploads) -> gr.Blocks:
    """The page over a loaded model."""
    hand_over_unread()
    handlers = Handlers(studio, uploads)
    gr.set_static_paths([FOLDER / "examples"])  # served from the folder: in the cache they would share one place
    forget = round(60 * studio.settings.forget_minutes)
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        _head(studio.settings, handlers)
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Picture", id="picture"):
                _picture_tab(studio, handlers, forget)
            with gr.Tab("Camera", id="camera"):
                _camera_tab(handlers)
            with gr.Tab("Video", id="video"):
                _video_tab(studio, handlers, forget)
            with gr.Tab("What the scores are", id="about"):
                gr.Markdown(_about(studio.settings))
    return page


def _head(settings: Settings, handlers: Handlers) -> None:
    gr.Markdown(
        f"# {TITLE}\n\nReads a face on 40 emotions: for each, how strongly people would see it there. "
        "It does not know what anyone feels."
    )
    if settings.notice:
        _html(handlers.views.notice(settings.notice, alert=False))


def _about(settings: Settings) -> str:
    text = (FOLDER / "about.md").read_text(encoding="utf-8")
    model, data = hub_link(settings.model), hub_link(settings.data, "datasets/")
    return text.format(
        model=f"[{settings.model}]({model})" if model else f"`{model_name(settings.model)}`, a folder on this machine",
        data=f"[{settings.data}]({data})",
        minutes=f"{settings.forget_minutes:g}",
        rate=settings.requests_per_minute,
        seconds=f"{settings.decode_seconds:g}",
        megabytes=f"{settings.decode_mb:,g}",
    )


# ---- Pictures


def _picture_tab(studio: Studio, handlers: Handlers, forget: int) -> None:
    limits = studio.settings
    shown = handlers.first_example(*_defaults(limits))
    result = gr.State(shown[0], time_to_live=forget)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            image = gr.Image(
                label="Picture",
                sources=["upload", "webcam", "clipboard"],
                type="filepath",
                placeholder="Drop an image file here to upload",  # as the button is read aloud
                height=240,
                elem_id="image",
            )
            gr.Markdown(
                f"JPEG, PNG, WebP, GIF, BMP or TIFF, up to {limits.picture_mb:g} MB and "
                f"{limits.picture_megapixels:g} megapixels; the {limits.faces} largest faces are scored.",
                elem_classes="quiet",
            )
            gr.Markdown("Or a drawn example:", elem_classes="quiet")
            with gr.Row(elem_classes="examples"):
                examples = [
                    gr.Button(name, icon=FOLDER / "examples" / file, size="sm") for name, file in EXAMPLES.items()
                ]
        with gr.Column(scale=5, min_width=300):
            overview = _html(shown[1], READ_OUT)
            whole = gr.Button("Score the whole picture", visible=False, elem_id="whole")
            with gr.Column(elem_classes="results") as results:
                choices, intensities, distributions = _picture_results(studio, limits, *shown[2:])
    outputs = [result, image, overview, whole, results, intensities, distributions]
    image.input(handlers.picture, [image, *choices], outputs, **MODEL).then(**SCROLL)
    whole.click(handlers.whole, [result, *choices], outputs, **MODEL).then(**SCROLL)
    for button, name in zip(examples, EXAMPLES, strict=True):
        button.click(handlers.example, [gr.State(name), *choices], outputs, **MODEL).then(**SCROLL)
    gr.on(
        [choice.change for choice in choices],
        handlers.charts,
        [result, *choices],
        [intensities, distributions],
        **DRAW,
    )
    _predict_endpoint(image, handlers)


def _defaults(limits: Settings) -> tuple[str, float, int, str, str]:
    """What the choices are before anyone chose: kind, threshold, how many, order, distribution."""
    low = min(low for low, _ in limits.axes.values())
    return next(iter(KINDS)), low, TOP, ORDERS[0], next(iter(DISTRIBUTIONS))


def _picture_results(studio: Studio, limits: Settings, bars: str, shares: str) -> tuple[list[Any], gr.HTML, gr.HTML]:
    low = min(low for low, _ in limits.axes.values())
    high = max(high for _, high in limits.axes.values())
    with gr.Row(elem_classes="choices"):
        kind = gr.Radio([*KINDS], value=next(iter(KINDS)), label="Scores", visible=bool(studio.scorer.neutral.any()))
        order = gr.Radio([*ORDERS], value=ORDERS[0], label="Order")
        top = gr.Slider(1, studio.width, TOP, step=1, label="Emotions")
        threshold = gr.Slider(low, high, low, step=(high - low) / 100, label="Threshold")
    with gr.Tabs(overflow_behavior="wrap"):
        with gr.Tab("Intensities"):
            intensities = _html(bars)
        with gr.Tab("Distribution"):
            gr.Markdown(
                "A face seldom says one thing only. Here it is a distribution over plausible emotions instead of one "
                "label. *Share of intensity*: scores below a neutral face count as 0, the others are divided by their "
                "sum. *Softmax*: exponentials of the scores, which favours the strongest. Neither is a measured "
                "probability that someone feels something."
            )
            way = gr.Radio([*DISTRIBUTIONS], value=next(iter(DISTRIBUTIONS)), label="How shares are made")
            distributions = _html(shares)
    return [kind, threshold, top, order, way], intensities, distributions


def _predict_endpoint(image: gr.Image, handlers: Handlers) -> None:
    whole_picture = gr.Checkbox(False, label="Whole picture", visible=False)
    answer = gr.JSON(visible=False)
    gr.Button(visible=False).click(
        handlers.predict, [image, whole_picture], answer, api_name="predict", concurrency_id="model"
    )


# ---- The camera


def _camera_tab(handlers: Handlers) -> None:
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            camera = gr.Image(label="Camera", sources=["webcam"], streaming=True, type="filepath", elem_id="camera")
            gr.Markdown(
                f"Record, and the largest face is scored every {LIVE_EVERY:g} s, for {LIVE_SECONDS} s at a time. "
                "Each frame is sent to this server, scored and forgotten.",
                elem_classes="quiet",
            )
        with gr.Column(scale=5, min_width=300):
            scores = _html(_empty("Start the camera: the scores of your face appear here."))
    camera.stream(
        handlers.live,
        camera,
        scores,
        stream_every=LIVE_EVERY,
        time_limit=LIVE_SECONDS,
        concurrency_id="camera",
        api_visibility="private",
        show_progress="hidden",
    )


# ---- Videos


def _video_tab(studio: Studio, handlers: Handlers, forget: int) -> None:
    limits = studio.settings
    result = gr.State(None, time_to_live=forget)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            gr.Markdown(
                f"MP4, MOV or WebM, up to {limits.video_seconds:g} seconds and {limits.video_mb:g} MB; "
                f"up to {limits.frames} frames are scored, and in each the largest face.",
                elem_classes="quiet",
            )
            rate = gr.Radio(RATES, value=RATES[1], label="Frames a second")
            file = gr.UploadButton("Choose a video", variant="primary", file_types=[*SUFFIXES], elem_id="video")
            with gr.Row(elem_classes="examples"):
                example = gr.Button("A drawn example", size="sm", elem_id="video-example")
        with gr.Column(scale=5, min_width=300):
            downloads = _html(_empty("Send a video or take the example: scores over time appear here."), READ_OUT)
            with gr.Column(visible=False) as results:
                kind, emotions, legend, chart, time, frame, table = _video_results(studio)
    outputs = [result, file, downloads, results, emotions, time, legend, chart, table, frame]
    file.upload(handlers.video, [file, rate, kind], outputs, **MODEL).then(**SCROLL)
    example.click(handlers.video_example, [rate, kind], outputs, **MODEL).then(**SCROLL)
    gr.on([emotions.input, kind.input], handlers.lines, [result, emotions, kind], [legend, chart, table], **DRAW)
    gr.on([time.change, kind.input, emotions.input], handlers.frame, [result, time, kind, emotions], frame, **DRAW)


def _video_results(studio: Studio) -> tuple[Any, ...]:
    with gr.Row(elem_classes="choices"):
        kind = gr.Radio([*KINDS], value=next(iter(KINDS)), label="Scores", visible=bool(studio.scorer.neutral.any()))
        emotions = gr.Dropdown(
            studio.scorer.labels,
            multiselect=True,
            max_choices=len(LINE_COLOURS),
            label="Emotions",
            scale=2,
            min_width=280,
        )
    legend = _html()
    chart = gr.LinePlot(
        x="seconds",
        y="intensity",
        color="emotion",
        y_title="Intensity",
        tooltip="all",
        colors_in_legend=[],  # the legend above it wraps on a phone
        height=330,
        label="Intensity over time, in seconds",
    )
    time = gr.Slider(0, 1, 0, step=0.01, label="Time in seconds: the frame nearest to it is shown")
    frame = _html()
    with gr.Accordion("The chart as a table", open=False):
        table = _html()
    return kind, emotions, legend, chart, time, frame, table


def _html(value: str = "", template: str = "${value}") -> gr.HTML:
    shown = "result" if template == READ_OUT else None
    return gr.HTML(value, html_template=template, apply_default_css=False, elem_classes=shown)


def _empty(text: str) -> str:
    return f'<p class="empty">{text}</p>'
