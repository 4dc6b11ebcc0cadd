"""A vision-language model on 127.0.0.1 that sees the emotion of a picture's prompt as often as it is told to."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from emohub.data.taxonomy import NAMES
from emohub.generate.prompts import Prompt, read_prompts
from emohub.generate.provenance import bare
from tests.rate.chat_server import Asked, Reply, completion


class Annotator:
    """Finds the prompt of a picture in the rounds of a loop.

    Args:
        out: Folder of the loop.
        rates: Emotion → share of its pictures in which it is seen; 0.6 where none is given.
        with_hint: What a hint adds to it.
    """

    def __init__(self, out: Path, rates: Mapping[str, float], with_hint: float = 0.0) -> None:
        self.out, self.rates, self.with_hint = out, rates, with_hint
        self.known: dict[str, Prompt] = {}

    def prompt_of(self, picture: str) -> Prompt | None:
        if picture not in self.known:
            for table in sorted(self.out.glob("rounds/*/prompts.parquet")):
                prompts = {prompt.id: prompt for prompt in read_prompts(table)}
                for path in (table.parent / "images").glob("[!.]*.*g"):
                    self.known[hashlib.sha256(bare(path.read_bytes())).hexdigest()] = prompts[path.stem]
        return self.known.get(picture)

    def __call__(self, asked: Asked) -> Reply:
        prompt = self.prompt_of(asked.pictures[0]) if asked.pictures else None
        if prompt is None:  # the probe's grey picture
            return Reply(body=completion("{}"))
        chance = int(hashlib.sha256(prompt.id.encode()).hexdigest()[:8], 16) / 16**8
        hinted = f"might show {prompt.emotion}" in asked.text
        rate = self.rates.get(str(prompt.emotion), 0.6)
        seen = bool(rate) and chance < rate + self.with_hint * hinted
        other = NAMES[int(chance * 1e6) % len(NAMES)]
        ratings = {other: 2} if self.rates.get(other, 0.6) and other != prompt.emotion else {}
        return Reply(body=completion(json.dumps({**ratings, **({str(prompt.emotion): 5} if seen else {})})))
