"""Every entry of the second formalisation."""

from tests.verify.second import (
    appendix_b_2,
    methods,
    section_3_1,
    section_3_2,
    section_4_1,
    section_4_2,
    section_5,
    sppo,
    table_2,
)

MODULES = (
    section_3_1,
    section_3_2,
    table_2,
    methods,
    sppo,
    section_4_1,
    section_4_2,
    appendix_b_2,
    section_5,
)
ENTRIES = [entry for module in MODULES for entry in module.ENTRIES]
