"""The questions about language models, each at the scales it can be asked at."""

from collections.abc import Mapping
from importlib import import_module
from typing import get_args

from .findings import QUESTIONS
from .inquiry import Inquiry, Scale
from .language import Language

LANGUAGES: Mapping[Scale, Language] = {
    "small": Language(),
    "laptop": Language(),
}
_SCALES: tuple[Scale, ...] = get_args(Scale)
_BY_QUESTION: tuple[Mapping[Scale, Inquiry], ...] = tuple(
    import_module(f".questions.{question.name}", __package__).AT_SCALE for question in QUESTIONS
)
INQUIRIES: Mapping[Scale, tuple[Inquiry, ...]] = {
    scale: tuple(by_scale[scale] for by_scale in _BY_QUESTION if scale in by_scale)
    for scale in _SCALES
}
