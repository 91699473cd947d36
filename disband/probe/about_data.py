"""Advice about the data themselves: rows, repetitions, responses that hardly differ."""

from collections.abc import Mapping

from disband.verify.pages.tables import percent

from .records import Advice, PairsAt, TokenCounts, interval

MANY = 0.1  # of pairs or of batches
SIDED = 0.8  # of pairs
BLOCKING = 2.0  # the weight of what no training goes on with
BROAD = 0.3  # between an interval's ends
SLIGHT = 0.01  # the weight of what is about the probe, not the training


def about_data(counts: Mapping[str, int], tokens: TokenCounts, size: int) -> list[Advice]:
    """Rules about all rows and the sample's tokens: see :func:`disband.probe.advice.advise`."""
    same = counts["identical"] + tokens["identical"]
    pairs, n = max(counts["pairs"], 1), max(tokens["pairs"], 1)
    longer = max(counts["longer_chosen"], counts["longer_rejected"])
    side = "chosen" if counts["longer_chosen"] >= counts["longer_rejected"] else "rejected"

    def in_batches(share: float) -> float:
        """The share of batches with such a pair."""
        return float(1 - (1 - min(share, 1.0)) ** size)

    return [
        Advice(
            topic="rows without a pair",
            weight=in_batches(counts["malformed"] / max(counts["rows"], 1)),
            rule=(
                "Rows without a pair: any row is malformed, has an empty response, or is "
                "refused by the chat template"
            ),
            measured=(
                f"{counts['malformed']} of {counts['rows']} rows, {counts['empty']} with "
                f"an empty response, {counts['refused']} refused by the template"
            ),
            applies=counts["malformed"] > 0,
            advice="Mend or drop the rows that state no pair (--keep writes a copy without).",
            reason="A trainer either stops at them or trains on nothing.",
        ),
        Advice(
            topic="identical responses",
            weight=BLOCKING
            if counts["identical"] == pairs or tokens["identical"] == n
            else in_batches(max(counts["identical"] / pairs, tokens["identical"] / n)),
            rule="Identical responses: any pair has them",
            measured=(
                f"{counts['identical']} of {pairs} pairs as text, {tokens['identical']} of "
                f"{n} sampled pairs as tokens, {tokens['identical_once_cut']} of them once cut"
            ),
            applies=same > 0,
            advice=(
                "Drop pairs with identical responses; where only their tokens are the same, "
                "raise --max-length here and in the trainer."
            ),
            reason=(
                "Both scores are equal, so no objective of the margin can move it; one that "
                "has an extra pull only imitates the text."
            ),
        ),
        Advice(
            topic="nothing left of responses",
            weight=in_batches(tokens["filled"] / (n + tokens["filled"])),
            rule="Nothing left of responses: any sampled prompt alone fills --max-length",
            measured=f"{tokens['filled']} of {n + tokens['filled']} sampled pairs",
            applies=tokens["filled"] > 0,
            advice="Raise --max-length here and in the trainer, or shorten the prompts.",
            reason="TRL keeps the start of a text and leaves such pairs out; so did this probe.",
        ),
        Advice(
            topic="contradictions",
            weight=in_batches(counts["contradictory"] / pairs),
            rule="Contradictions: a pair comes again with chosen and rejected exchanged",
            measured=f"{counts['contradictory']} of {pairs} pairs",
            applies=counts["contradictory"] > 0,
            advice="Of pairs that come again exchanged, drop both, or decide which is meant.",
            reason="Under an objective of the margin their steps cancel at the start.",
        ),
        Advice(
            topic="repeated pairs",
            weight=(counts["repeated"] / pairs),
            rule=f"Repeated pairs: more than {percent(MANY)} come again word for word",
            measured=f"{counts['repeated']} of {pairs} pairs",
            applies=counts["repeated"] > MANY * pairs,
            advice="Drop repeated pairs.",
            reason="A pair is trained on as often as it comes.",
        ),
        Advice(
            topic="nearly identical responses",
            weight=(tokens["near"] / n),
            rule=(
                f"Nearly identical responses: more than {percent(MANY)} of the sample differ "
                "by one token of four or more, or by at most a tenth of the longer response"
            ),
            measured=f"{tokens['near']} of {n} sampled pairs",
            applies=tokens["near"] > MANY * n,
            advice=(
                "Drop or rewrite nearly identical pairs, train only on the tokens that "
                "differ, or add a term that holds the chosen up."
            ),
            reason=(
                "Tokens that both responses share have nearly the same scores in both, so "
                "what lowers the rejected response lowers the chosen one."
            ),
        ),
        Advice(
            topic="cut texts",
            weight=(tokens["cut"] / n),
            rule=f"Cut texts: more than {percent(MANY)} of the sample do not fit",
            measured=f"{tokens['cut']} of {n} sampled pairs",
            applies=tokens["cut"] > MANY * n,
            advice="Raise --max-length here and in the trainer, or shorten the texts.",
            reason="The model is trained on, and measured on, fragments.",
        ),
        Advice(
            topic="prompts said again",
            weight=(counts["prompt_again"] / pairs),
            rule="Prompts said again: both responses of any pair begin with the prompt",
            measured=f"{counts['prompt_again']} of {pairs} pairs",
            applies=counts["prompt_again"] > 0,
            advice="Take the prompt out of the responses, or leave its column out.",
            reason=(
                "A trainer puts the prompt before each response, so it comes twice, and the "
                "second one is trained on."
            ),
        ),
        Advice(
            topic="two start or end tokens",
            weight=(max(tokens["started_twice"], tokens["ended_twice"]) / n),
            rule="Two start or end tokens: in any sampled pair",
            measured=(
                f"{tokens['started_twice']} begin and {tokens['ended_twice']} end in two, "
                f"of {n} sampled pairs"
            ),
            applies=tokens["started_twice"] + tokens["ended_twice"] > 0,
            advice="Take the start and end tokens out of the texts: the tokenizer puts its own.",
            reason="The model never saw two in its training.",
        ),
        Advice(
            topic="messages written as code",
            weight=(tokens["parts_as_code"] / n),
            rule=(
                "Messages written as code: the chat template writes the parts of a message as "
                "Python writes a list, in any sampled pair"
            ),
            measured=f"{tokens['parts_as_code']} of {n} sampled pairs",
            applies=tokens["parts_as_code"] > 0,
            advice="Write the contents of messages as strings, or take a model that reads parts.",
            reason="The model is trained on [{'type': 'text', and so on; trainers do not say it.",
        ),
        Advice(
            topic="turns of the user within responses",
            weight=(counts["user_turns"] / pairs),
            rule="Turns of the user within responses: in any pair",
            measured=f"{counts['user_turns']} of {pairs} pairs",
            applies=counts["user_turns"] > 0,
            advice="Divide such conversations so that the last answer alone is the response.",
            reason=(
                "A trainer counts all that follows the prompt as response, so the user's "
                "tokens are trained on."
            ),
        ),
        Advice(
            topic="one-sided lengths",
            weight=(0.0),
            rule=(
                f"One-sided lengths: of more than {percent(SIDED)} of the pairs, the same side "
                "is the longer"
            ),
            measured=f"the {side} response is the longer in {longer} of {pairs} pairs",
            applies=longer > SIDED * pairs,
            advice="Balance the lengths of the two sides, or normalise by length.",
            reason="A model that learns to write longer or shorter satisfies such data.",
        ),
        Advice(
            topic="scores that do not prefer the chosen",
            weight=((counts["tied"] + counts["scored_against"]) / pairs),
            rule="Scores that do not prefer the chosen: any are equal, or the rejected's higher",
            measured=(
                f"{counts['tied']} equal and {counts['scored_against']} against, of "
                f"{counts['scored']} scored pairs"
            ),
            applies=counts["tied"] + counts["scored_against"] > 0,
            advice="Drop pairs whose scores are equal or say the opposite.",
            reason="What they prefer is chance or error.",
        ),
    ]


def few(name: str, first: PairsAt) -> Advice:
    """A rule about the sample, not the data: too few pairs."""
    both = first["outcomes"]["both_fall"]
    return Advice(
        topic="sample",
        weight=SLIGHT,
        rule=(
            f"Small sample: the interval of the pairs in which both fall is broader than "
            f"{percent(BROAD)} under {name}"
        ),
        measured=f"both fall for {interval(both)}",
        applies=both["high"] - both["low"] > BROAD,
        advice="Measure more pairs (--sample, or more data) before you rely on the shares.",
        reason="What holds of so few pairs may not hold of the data.",
    )
