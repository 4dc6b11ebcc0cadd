"""A text-to-image model of the Hub through Inference Providers, by `huggingface_hub.InferenceClient`."""

import asyncio
import binascii
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from huggingface_hub import InferenceClient
from PIL import Image, UnidentifiedImageError

from emohub.errors import EmohubError, printable
from emohub.generate.generator import NOT_A_PICTURE, Made, Record, RemoteGenerator, Wanted, ask_for_all, unmade
from emohub.rate.concurrent import Limits
from emohub.rate.provider import ERRORS, failed

# What the client raises where an answer holds no picture.
NO_PICTURE = (UnidentifiedImageError, LookupError, TypeError, AttributeError, binascii.Error, json.JSONDecodeError)


@dataclass(kw_only=True)
class Generator(RemoteGenerator):
    """Pictures of a provider; the key is the one of `hf auth login` or HF_TOKEN. The seed is sent.

    Attributes:
        provider: Name of the provider; by default the Hub chooses.
        steps: Of denoising; by default the provider's.
        guidance: Strength of the guidance; by default the provider's.
        width: Of the picture in pixels; by default the provider's.
        height: Of the picture in pixels; by default the provider's.
        timeout: Seconds after which a request has failed.
    """

    provider: Any = "auto"  # which names there are changes with the library
    steps: int | None = None
    guidance: float | None = None
    width: int | None = None
    height: int | None = None
    timeout: float = 300.0

    def __post_init__(self) -> None:
        if not self.what:
            raise EmohubError("--model is hub:; must name a model, as hub:black-forest-labs/FLUX.1-dev.")

    def described(self) -> dict[str, Any]:
        """Model, provider, settings. Which revision answers is the provider's."""
        return {"model": self.what, "provider": self.provider, **self._options()}

    def _options(self) -> dict[str, Any]:
        named = {"num_inference_steps": self.steps, "guidance_scale": self.guidance}
        named |= {"width": self.width, "height": self.height}
        return {name: value for name, value in named.items() if value is not None}

    def make_all(self, wanted: Iterable[Wanted], record: Record, limits: Limits) -> None:
        """Ask over several connections."""
        try:
            client = InferenceClient(model=self.what, provider=self.provider, timeout=self.timeout)
        except ValueError as error:
            raise EmohubError(f"--provider is {self.provider!r}: {error}") from error

        with ThreadPoolExecutor(limits.concurrency) as pool:

            async def send(one: Wanted) -> Made:
                return await asyncio.get_running_loop().run_in_executor(pool, partial(self._send, client, one))

            asyncio.run(ask_for_all(wanted, send, record, limits))

    def _send(self, client: InferenceClient, wanted: Wanted) -> Made:
        """One request; every failure of it is an outcome, but for those that stop the run."""
        try:
            picture = client.text_to_image(wanted.text, seed=wanted.seed, **self._options())
        except ERRORS as error:
            return unmade(wanted, failed(error, 0.0))
        except NO_PICTURE as error:
            return Made(wanted, failure=NOT_A_PICTURE, detail=_shown(error))
        except ValueError as error:  # the client knows no way to this model
            raise EmohubError(f"hub:{self.what} cannot be used with --provider {self.provider}: {error}") from error
        try:
            return Made(wanted, picture.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            return Made(wanted, failure=NOT_A_PICTURE, detail=_shown(error))


def _shown(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}", 200)
