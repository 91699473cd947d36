"""One copy trained: it is TRL's own training; what is held out, in which order, with what terms."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from datasets import Dataset
from trl import DPOConfig, DPOTrainer

from disband.lm.data.preferences import preference
from disband.lm.data.tokenize import Cut, TokenPair, tokenize
from disband.lm.model.load import load_model
from disband.probe.inputs import Probe
from disband.rehearse.arms import Arm, WithLikelihood
from disband.rehearse.findings import at_margin
from disband.rehearse.inputs import Rehearsal, divided
from disband.rehearse.training import Task, log_probabilities, looks, order_of, train_arm
from disband.theory.objectives import find
from disband.verify.workers.away import WorkersError
from tests.lm.model.test_load import saved
from tests.trl.harness import BYTES, PAIRS, models, train_tokenizer

CLIP, RATE, STEPS, BATCH, SEED = 0.05, 3e-4, 6, 4, 3


@pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning")
def test_a_rehearsal_is_trls_own_training(tmp_path):
    """AdamW, a clipped gradient and a rate that falls: the same log-probabilities."""
    tokenizer = train_tokenizer([], [], BYTES)
    saved(tmp_path / "model", models()[0], tokenizer)
    loaded = load_model(tmp_path / "model", device="cpu")
    pairs = tokenize(loaded.tokenizer, [preference(row) for row in PAIRS], Cut(1024))
    asked = Rehearsal(
        Probe(str(tmp_path / "model"), "", ("dpo",), batch=BATCH, seed=SEED, device="cpu"), STEPS,
        RATE, schedule="linear", clip=CLIP, workers=1,
    )  # fmt: skip
    shares = []
    arm = Arm(0, "DPO")
    task = Task(asked, arm, pairs[:8], pairs[8:], loaded.provenance)
    arrays = train_arm(task, arm, shares.append)
    for wrong, said in (
        ({"provenance": {**loaded.provenance, "sha256": "0"}}, "its sha256 differ"),
        ({"asked": replace(asked, probe=replace(asked.probe, model="./none"))}, "cannot read it"),
    ):
        with pytest.raises(WorkersError, match=said):
            train_arm(replace(task, **wrong), arm, shares.append)
    assert (shares[0], shares[-1], len(shares)) == (0, 1, STEPS + 1)
    policy = loaded.model
    config = DPOConfig(
        output_dir=str(tmp_path), report_to=[], use_cpu=True, bf16=False, save_strategy="no",
        max_steps=STEPS, per_device_train_batch_size=BATCH, learning_rate=RATE,
        max_grad_norm=CLIP, lr_scheduler_type="linear", train_sampling_strategy="sequential",
        optim="adamw_torch", disable_tqdm=True, beta=0.1,
    )  # fmt: skip
    rows = [PAIRS[i] for i in arrays["order"].ravel()]
    DPOTrainer(
        policy, deepcopy(policy).eval(), config, train_dataset=Dataset.from_list(rows),
        processing_class=loaded.tokenizer,
    ).train()  # fmt: skip
    theirs = log_probabilities(policy.eval(), loaded.tokenizer, pairs[8:], BATCH)
    moved = theirs - np.stack([arrays["logp_w"][0], arrays["logp_l"][0]])
    ours = np.stack([arrays["logp_w"][-1], arrays["logp_l"][-1]])
    assert np.abs(moved).min() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(moved).max())


def test_held_out_prompts_are_not_trained_on():
    pairs = [TokenPair((i // 3,), (1, i), (2, i)) for i in range(30)]
    training, held_out = divided(pairs, 8)
    assert len(held_out) == 6  # a quarter at most, and whole groups
    assert {p.context for p in training}.isdisjoint(p.context for p in held_out)
    assert {*training, *held_out} == {*pairs}
    alike = [TokenPair((7,), (1, i), (2, i)) for i in range(8)]
    assert divided(alike, 5) == (tuple(alike[2:]), tuple(alike[:2]))


def test_an_epoch_shows_each_pair_once_and_rests_come_in_another():
    order = order_of(10, 4, 5, seed=0)
    assert order.shape == (5, 4)
    for epoch in (order[:2], order[2:4]):
        assert len({*epoch.ravel()}) == 8
    assert {*order_of(10, 4, 50, seed=0).ravel()} == {*range(10)}
    assert (order == order_of(10, 4, 5, seed=0)).all()
    assert (order != order_of(10, 4, 5, seed=1)).any()


def test_looks_are_few_and_include_both_ends():
    assert looks(3) == [0, 1, 2, 3]
    assert looks(48) == [*range(0, 49, 4)]
    assert (looks(1000)[0], looks(1000)[-1], len(looks(1000))) == (0, 1000, 13)


def test_a_likelihood_term_is_rpos():
    data = tuple(
        np.array(x) for x in ((-9.0, -4.0), (-8.0, -7.0), (-9.5, -4.0), (-8, -6), (5, 9), (4, 2))
    )
    plus = WithLikelihood(find("dpo"), 0.3, "sum")
    rpo = find("rpo")
    for what in ("loss", "incentives"):
        ours = plus.kernel(what, "numpy", beta=0.1)(*data)
        np.testing.assert_allclose(ours, rpo.kernel(what, "numpy", beta=0.1, lam=0.3)(*data))


def test_the_chosen_at_a_margin_lies_between_two_looks():
    curve = [(0, 0.0, 0.0), (4, 1.0, -1.0), (8, 0.0, -6.0)]
    assert at_margin(curve, 1.0) == 0.5
    assert at_margin(curve, 4.0) == 0.5
    assert at_margin(curve, 7.0) is None
    assert at_margin(curve, -1.0) is None
