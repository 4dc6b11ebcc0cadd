"""How every page of the project looks and moves."""

from typing import Any

import gradio as gr

FONT = ("system-ui", "sans-serif")  # what the visitor has: nothing is fetched from a font service
THEME = gr.themes.Default(primary_hue="blue", font=FONT, font_mono=("ui-monospace", "monospace")).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
)
# On a phone the result is below what was pressed.
SCROLL: dict[str, Any] = {
    "fn": None,
    "js": """() => {
    const shown = [...document.querySelectorAll('.result')].find(one => one.checkVisibility());
    const top = shown?.getBoundingClientRect().top ?? 0;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (top < 0 || top > innerHeight / 2) shown?.scrollIntoView({behavior: calm ? 'auto' : 'smooth'});
    }""",
}
