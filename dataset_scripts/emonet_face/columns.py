"""The columns of the three sets of images."""

from datasets import ClassLabel, List, Value

from emohub.data.builder import GivenImage
from emohub.data.taxonomy import NAMES

from .votes import STATUSES

EMOTION = ClassLabel(names=list(NAMES))
DEMOGRAPHICS = {
    "prompt": Value("string"),
    "age": Value("int32"),  # years, as prompted: 20–80 in steps of 10
    "ethnicity": Value("string"),  # as prompted, one of 14
    "gender": Value("string"),  # as prompted: man, woman, non-binary person
}
HQ = {
    "image": GivenImage(),
    "item": Value("string"),
    "top_emotion": EMOTION,  # highest mean human intensity, the first of Table 4 on ties; null if all are 0
    "mean_intensity": List(Value("float32"), length=len(NAMES)),  # over human raters, 0–7; null without any
    "ratings": List(
        {
            "rater": Value("string"),
            "kind": Value("string"),
            "intensities": List(Value("float32"), length=len(NAMES)),
        }
    ),
    **DEMOGRAPHICS,
    "generator": Value("string"),  # text-to-image model
}
BINARY = {
    "image": GivenImage(),
    "item": Value("string"),
    "target": EMOTION,
    "contrastive": EMOTION,
    "status": ClassLabel(names=list(STATUSES)),
    "votes": List({"rater": Value("string"), "emotion": EMOTION, "vote": Value("bool"), "step": Value("int8")}),
    "labels": List(Value("int8"), length=len(NAMES)),  # 1 present (policy of the build), 0 absent, null unknown
    **DEMOGRAPHICS,
}
BIG = {
    "image": GivenImage(),
    "item": Value("string"),
    "intensities": List(Value("float32"), length=len(NAMES)),  # by Gemini 2.0/2.5 Flash, 0–7 (App. B.1)
    "in_binary": Value("bool"),  # null where BINARY's images were not in the source to compare
    "target": EMOTION,  # what the image was made for; null where the source does not say it, as upstream's
    "hint": EMOTION,  # what the annotator was told that the image might show; null where nothing, or not known
    **DEMOGRAPHICS,
}
QUESTIONS = {
    "item": Value("string"),
    "emotion": EMOTION,
    "question": Value("string"),
    "image_uri": Value("string"),  # a JPEG of at most 256 pixels as a data URI
    "target": Value("string"),  # yes where three experts saw the emotion, no where the only one asked did not
}
EMOTIONS = {
    "id": Value("int8"),  # place in every 40-long list, and number of the class labels
    "name": Value("string"),
    "group": Value("string"),  # of the paper's Figure 7
    "descriptors": List(Value("string")),  # Table 4
}
