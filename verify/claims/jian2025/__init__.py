"""Stable Preference Optimization for LLMs: A Bilevel Approach Beyond DPO.

Of the paper the abstract is quoted, sentence by sentence. What it leaves open, a response, a step,
the two levels, is taken in the plainest way: one context's softmax, gradient steps, and the levels
of :mod:`disband.theory.models.bilevel`. Those readings are this project's.
"""

from ...deciding.claim import Claim, Prediction
from . import (
    bias,
    bilevel,
    evolution,
    initialization,
    misallocation,
    runs,
    stability,
    unseen,
)

CLAIMS: tuple[Claim | Prediction, ...] = (
    *evolution.CLAIMS,
    *initialization.CLAIMS,
    *misallocation.CLAIMS,
    *unseen.CLAIMS,
    *bias.CLAIMS,
    *bilevel.CLAIMS,
    *stability.CLAIMS,
    *runs.CLAIMS,
)
