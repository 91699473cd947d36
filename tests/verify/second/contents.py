"""The numbered items of yuan2025, and why some of them have no entry."""

LOSSES = ("DPO", "R-DPO", "SimPO", "IPO", "RRHF", "SlicHF", "CPO", "DPOP", "KTO", "SPPO")
CONTENTS = (
    *(f"eq. ({number})" for number in range(1, 24)),
    *("Theorem 1", "Corollary 2", "Theorem 3"),
    *("Condition 1", "Condition 2"),
    *(f"Table 1, case {number}" for number in (1, 2, 3)),
    *(f"Table 2, {loss}" for loss in LOSSES),
    *("Model Setup 1", "Model Setup 2", "Data Setup 1", "Data Setup 2"),
    *(f"footnote {number}" for number in range(3, 14)),
)
WITHOUT_STATEMENT = {
    "eq. (15)": "Model Setup 1, put into the chosen log-probability of the last token",
    "eq. (16)": "Model Setup 1, put into the rejected log-probability of the last token",
    "Condition 2": "is (9) and (10)",
    "Model Setup 1": "a definition, in the entries of section 4.1",
    "Model Setup 2": "a definition, in the entries of section 4.2; what is shared is open there",
    "Data Setup 1": "a definition: two responses of one token each, i_w and i_l, which differ",
    "Data Setup 2": "a definition, in the entries of section 4.2; L > m, so one token follows",
    "footnote 3": "an address",
    "footnote 4": (
        "says that the loss of a reward model has the form (1): its margin is of rewards, and "
        "no log-probability of a policy is in it"
    ),
    "footnote 5": "names of subscripts",
    "footnote 6": "an abbreviation",
    "footnote 10": "history",
    "footnote 11": "notation: the simplex",
    "footnote 12": "notation: entries of a vector",
    "footnote 13": "notation: the gradient of one token",
}
