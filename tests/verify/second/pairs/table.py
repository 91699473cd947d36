"""All pairs of formalisations of yuan2025, and what has no partner and why."""

from tests.verify.second.pairs import (
    section_3_1,
    section_3_2,
    section_3_2_1,
    section_4_1,
    section_4_2,
    section_5,
    sections_1_and_2,
)

PAIRS = tuple(
    pair
    for module in (
        sections_1_and_2,
        section_3_1,
        section_3_2,
        section_3_2_1,
        section_4_1,
        section_4_2,
        section_5,
    )
    for pair in module.PAIRS
)
