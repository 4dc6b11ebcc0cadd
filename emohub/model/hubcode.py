"""The remote code of a model repo, loaded as the Hub libraries load it; they take seconds, so only where it is."""

from typing import TYPE_CHECKING, Any

from emohub.hub.folders import hub_folder

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

MODEL = "empathic_insight_face"
CODE = (f"configuration_{MODEL}", f"modeling_{MODEL}", f"pipeline_{MODEL}", f"reading_{MODEL}")
EMBEDDER = ("modules.json", "sentence_bert_config.json")  # for sentence-transformers: the tower's pooled output
CLASSES = {
    "AutoConfig": f"configuration_{MODEL}.EmpathicInsightFaceConfig",
    "AutoModel": f"modeling_{MODEL}.EmpathicInsightFaceModel",
    "AutoModelForImageClassification": f"modeling_{MODEL}.EmpathicInsightFaceForImageClassification",
}


def _load(auto_class: str) -> Any:
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    loaded: Any = get_class_from_dynamic_module(CLASSES[auto_class], hub_folder("hub_models", MODEL))
    loaded.register_for_auto_class(auto_class)  # so that save_pretrained() writes the code beside the weights
    return loaded


def config_class() -> "type[PreTrainedConfig]":
    """`EmpathicInsightFaceConfig` of `hub_models/`."""
    return _load("AutoConfig")


def model_class() -> "type[PreTrainedModel]":
    """`EmpathicInsightFaceForImageClassification` of `hub_models/`."""
    config_class()
    return _load("AutoModelForImageClassification")
