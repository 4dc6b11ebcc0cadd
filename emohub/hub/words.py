"""The words that the Hub knows in a card's metadata.

Licences: https://huggingface.co/docs/hub/repositories-licenses. Tasks: the Hub's list of pipeline types. Space keys:
https://huggingface.co/docs/hub/spaces-config-reference. Languages: ISO 639-1.
"""

LICENSES = frozenset(
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m "
    "afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 "
    "cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 "
    "cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 "
    "cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl "
    "gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 "
    "odc-by odbl openrail++ openmdw-1.0 osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr "
    "deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma "
    "unknown other".split()
)

TASKS = frozenset(
    "any-to-any audio-classification audio-text-to-text audio-to-audio automatic-speech-recognition "
    "depth-estimation document-question-answering feature-extraction fill-mask graph-ml image-classification "
    "image-feature-extraction image-segmentation image-text-to-image image-text-to-text image-text-to-video "
    "image-to-3d image-to-image image-to-text image-to-video keypoint-detection mask-generation multiple-choice "
    "object-detection other question-answering reinforcement-learning robotics sentence-similarity summarization "
    "table-question-answering table-to-text tabular-classification tabular-regression tabular-to-text "
    "text-classification text-generation text-ranking text-retrieval text-to-3d text-to-audio text-to-image "
    "text-to-speech text-to-video time-series-forecasting token-classification translation "
    "unconditional-image-generation video-classification video-text-to-text video-to-video visual-document-retrieval "
    "visual-question-answering voice-activity-detection zero-shot-classification zero-shot-image-classification "
    "zero-shot-object-detection".split()
)

# Name and the rows from which the next one holds.
SIZES = (
    ("n<1K", 10**3),
    ("1K<n<10K", 10**4),
    ("10K<n<100K", 10**5),
    ("100K<n<1M", 10**6),
    ("1M<n<10M", 10**7),
    ("10M<n<100M", 10**8),
    ("100M<n<1B", 10**9),
    ("1B<n<10B", 10**10),
    ("10B<n<100B", 10**11),
    ("100B<n<1T", 10**12),
    ("n>1T", 10**30),
)

LANGUAGES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz "
    "ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik "
    "io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml "
    "mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd "
    "se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi "
    "vo wa wo xh yi yo za zh zu code multilingual".split()
)

COLOURS = frozenset("red yellow green blue indigo purple pink gray".split())
SDKS = frozenset("gradio streamlit docker static".split())
GATE_FIELDS = frozenset("text checkbox date_picker country select".split())


def size_of(rows: int) -> str:
    """The size class of a number of rows.

    >>> size_of(999), size_of(1000)
    ('n<1K', '1K<n<10K')
    """
    return next(name for name, limit in SIZES if rows < limit)
