"""How every page of the project looks."""

import gradio as gr

FONT = ("system-ui", "sans-serif")  # what the visitor has: nothing is fetched from a font service
THEME = gr.themes.Default(primary_hue="blue", font=FONT, font_mono=("ui-monospace", "monospace")).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
)
