"""Score products in a full metric, for what is tested in one."""

from disband.theory.gram import Gram


def gram_in(matrix, a, b):
    """Gram of scores ``(..., d)`` with the products ⟨x,Py⟩, P of shape ``(..., d, d)``."""
    p_a, p_b = ((matrix @ v[..., None])[..., 0] for v in (a, b))
    return Gram((a * p_a).sum(-1), (b * p_b).sum(-1), (a * p_b).sum(-1))
