"""What has no partner, and why.

A statement of this project's own, such as a repaired form, is in no paper and needs none.
"""

# Entries of the ledger that the second reader did not write down.
CLAIMS_ALONE = {
    "section1.rejected-may-rise": "a sentence of the introduction; case 3 of Table 1 has it",
    "footnote4": "in the second a statement about rewards, without a policy",
    "section2.dpo-from-rewards": "the second starts from the DPO loss",
    "section2.kto-separate": "words without a formula",
    "section2.sppo-separate": "words without a formula",
    "section2.kto-rewards": "words without a formula",
    "section2.kto-logistic": "'logistic loss' is not written out in print",
    "section2.sppo-rewards": "words without a formula",
    "section2.dpop-regularizes": "words without a formula; footnote 8 has the ratio",
    "sppo.above-one-with-reference": "of the loss of SPPO's authors; print has that of A.2",
    "section1.all-rely-on-the-margin": "words without a formula",
    "box.through-inner-product": "in the second it is (4) and (5) themselves",
    "section3.3.sppo": "a remark on an experiment",
    "section4.3.negative-product": "a prediction; Theorem 1 and Condition 1 have it",
    "shared-tokens.last-layer": (
        "shares a token before the one that differs, the second one after it: other models"
    ),
    "section5.masked-context": "a remark in the second, which reads what is meant",
    "a2.pairwise": "a sentence about any loss; the second goes on to SPPO",
    "a2.implicit-assumption": "an assumption in the second",
    "b1.logit": "a remark in the second: a probability is called a logit",
    "b1.zero-entries": "a remark in the second: a softmax is zero in the limit alone",
    "b2.index": "a remark in the second: j*_{i+1} is printed once for j*_i",
}

_OTHER_READING = "another reading than the ledger's, which the words allow too"
_OF_LAMBDA = "the ledger has λ ≥ 0 throughout"
_ROWS = "not printed; the ledger asks it of the losses of the authors (condition2.instantiate)"
_STRICT = "in the ledger a part of condition1.strict and its repaired form"
_NO_ENTRY = "no entry in the ledger"

# Entries of the second formalisation that the ledger does not have, by reason.
SECOND_ALONE = {
    _OTHER_READING: (
        (
            "section 3.1, without the inner product, read with C as the function of both "
            "log-probabilities that it is"
        ),
        "Table 1, all cases, read as cases that exclude one another",
        (
            "section 3.1.1, ideal case, read with less as strictly less and the ideal case as in "
            "Table 1"
        ),
        "section 3.2, lenient and strict, read as an equivalence, for ratios of any sign",
        "section 3.2, similar norms, read as always",
        (
            "section 3.2, reweighed incentives, read with the parts as the changes, for incentives "
            "of any sign"
        ),
        "section 3.2.1, KTO, read with ∝ as a factor that does not depend on the pair either",
        "section 3.2.1, KTO, read with ∝ as a positive factor",
        (
            "eq. (11), more lenient than DPO, read as implied by the condition of DPO, for all "
            "lengths and norms"
        ),
        "eq. (11), more lenient than DPO, read as met somewhere where the condition of DPO is not",
        "section 3.2.1, the same reasoning for RRHF, read as printed in Table 2, below the margin",
        "section 3.2.1, the same reasoning for IPO (footnote 9), read as printed in Table 2",
        "section 3.2.1, SPPO, ratio (footnote 7), read of the row of Table 2 by (7) and (8)",
        "section 3.2.1, SPPO, ratio above one, read for any β > 0",
        "Theorem 1, read with both tokens among the M, increases as strictly increases",
        "Theorem 1, negative inner product, read for any h",
        "Corollary 2, read of the gradients at the last token alone, as in appendix B.1",
        "eq. (14), read without the assumption of Pal et al.",
        "Theorem 3, read with a step of any factor η β c(θ)",
        "section 4.2, both decrease, read of the whole chosen response, likely as: always",
        "section 4.2, shared tokens, read under Model Setup 1",
        "eq. (23), read with s_{w,i} and s_{l,i} as logits of their own",
        "appendix B.2, difference of gradients, read as the vector of s_l - s_w",
        "section 5.1, update rule, read as a gradient to descend, with C > 0",
        "section 5.2, masked loss, read with every token shown, against DPO with any β",
        "section 5.2, sigmoid for the indicator, read for u = r, at any k",
    ),
    _STRICT: (
        "Table 1, case 2 in words, read strictly",
        "Table 1, case 3 in words, read strictly",
        "eq. (9), read with positive incentives, and increases as strictly increases",
        "eq. (10), read with positive incentives, and decreases as strictly decreases",
    ),
    "a definition; the ledger has it in (7) and (8)": ("eq. (6)",),
    "in the ledger one entry with the changes that follow (a1.general-gradient)": (
        "appendix A.1, gradient of the general loss, read as printed",
    ),
    _ROWS: tuple(
        f"Table 2, positive incentives of {name}"
        for name in (
            *("DPO", "R-DPO", "SimPO", "IPO", "RRHF", "SlicHF", "CPO", "DPOP", "KTO", "SPPO"),
        )
    ),
    "a repair of its own; the ledger's has the reference policy too": (
        "Table 2, SPPO against appendix A.2, read with -h_w for h_w",
        "Table 2, IPO with the other sign, read with -m for m, below the target of the margin",
    ),
    _OF_LAMBDA: tuple(
        f"section 3.2.1, regularizer of {name}, read for any λ"
        for name in ("CPO", "RRHF", "SlicHF")
    ),
    "in the ledger a part of a statement of this project's own": (
        (
            "section 3.2.1, regularizer of DPOP (footnote 8), read of the ratio below the "
            "reference, against DPO"
        ),
        (
            "eq. (11), more lenient than DPO, read as implied by the condition of DPO, for "
            "‖a‖²/‖b‖² ≥ |y_w|/|y_l| > 1"
        ),
        "Theorem 1, read with M = 1 allowed, as M ≤ V prints it",
        "Corollary 2, read of whole responses, hidden states before the last at right angles to it",
        "section 4.3, differing token, read where the third token is not likely",
    ),
    "in the ledger one entry with (14)": (
        "eq. (14), read with s_{w,i} and s_{l,i} as logits of their own: the sign",
        "Theorem 3, longer suffix, read with decreases more as: falls at least as much",
        "Theorem 3, longer suffix, read with decreases more as: falls by strictly more",
        "section 4.2, condition of a token, read with both gradients in one row of logits",
        "appendix B.2, (22) and (23)",
    ),
    "in the ledger one entry with (12)": (
        "eq. (23), read before the differing token, where the rows agree",
    ),
    "in the ledger two entries, sppo.easier and sppo.harder, with section 3.2.1": (
        "appendix A.2, easier",
    ),
    "in the ledger how scores are written, not a statement": (
        "appendix B.2, gradient of a row",
        "section 5.1, update rule, read of its coefficients",
    ),
    _NO_ENTRY: (
        "eq. (19), read with all V columns",
        "eq. (19), read with the columns of the M tokens",
        "eq. (20), read with all V columns",
        "eq. (20), read with the columns of the M tokens",
    ),
}
