"""Adam and its parts: against torch's own Adam, and what each part adds on a toy."""

import numpy as np
import pytest
import torch

from disband.sims.horizon.optimizers import adam_parts
from disband.sims.pairs.policies import edit_one_independent, edit_one_shared
from disband.theory.objectives import DPO


def test_with_both_averages_it_is_torchs_adam():
    problem = edit_one_shared()
    parts = adam_parts(problem, DPO, lr=0.02, steps=30)
    theta = torch.tensor(problem.theta0, requires_grad=True)
    policy, pair = problem.policy, problem.pair

    def logps():
        logits = torch.tensor(policy.features) @ theta + torch.tensor(policy.offsets)
        logs = torch.log_softmax(logits, -1)
        return [(torch.tensor(n) * logs).sum() for n in (pair.counts_w, pair.counts_l)]

    with torch.no_grad():
        refs = logps()
    optimizer = torch.optim.Adam([theta], lr=0.02, eps=1e-30)
    seen = []
    for _ in range(31):
        w, l = logps()  # noqa: E741
        seen.append((w - refs[0]).item())
        optimizer.zero_grad()
        (-torch.nn.functional.logsigmoid(0.1 * (w - refs[0] - l + refs[1]))).backward()
        theta.grad[theta.grad.abs() < 1e-12] = 0.0  # rounding of what is zero exactly
        optimizer.step()
    np.testing.assert_allclose(parts.adam, seen, atol=1e-6)


def test_both_averages_deepen_the_fall_of_a_shared_suffix():
    """Incentives fade: a metric that follows them steps longer than that of the start."""
    parts = adam_parts(edit_one_shared(), DPO, lr=0.01, steps=299)
    assert parts.frozen[1] == parts.adam[1]
    ends = [float(run[-1]) for run in (parts.frozen, parts.memory, parts.moments, parts.adam)]
    assert 0 > ends[0] > ends[1] > ends[2] > ends[3]
    moments, memory = ends[2] - ends[0], ends[1] - ends[0]
    assert moments < 5 * memory < 0
    apart = adam_parts(edit_one_independent(), DPO, lr=0.01, steps=50)
    assert apart.adam[-1] > 0


@pytest.mark.parametrize("bad", [{"steps": 0}, {"lr": -1.0}, {"betas": (1.0, 0.9)}])
def test_a_run_of_adam_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="averages that forget"):
        adam_parts(edit_one_shared(), DPO, **({"lr": 0.01, "steps": 3} | bad))
