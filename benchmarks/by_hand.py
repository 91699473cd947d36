"""The incentives of every objective as somebody would write them with numpy, and their case.

Each is a function of six arrays, with its hyperparameters as in the catalogue, and returns
``(d_w, d_l)``: derived by hand, stable far into the tails, each common part computed once. They
are what the catalogue's kernels are timed against, and a test compares their numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Pair = tuple[Array, Array]
BY_HAND: dict[str, Callable[..., Pair]] = {}


def case_by_hand(d_w: Array, d_l: Array, sq_w: Array, sq_l: Array, dot: Array) -> Array:
    """Return 0 ideal, 1 both fall, 2 both rise, 3 reversed; whatever is NaN is refused."""
    change_w = d_w * sq_w - d_l * dot
    change_l = d_w * dot - d_l * sq_l
    if np.isnan(change_w).any() or np.isnan(change_l).any():
        raise ValueError("NaN among the changes: leave out these pairs")
    return (change_w < 0).astype(np.int8) + 2 * (change_l > 0).astype(np.int8)


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _logsigmoid(x: Array) -> Array:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def _logodds(x: Array) -> Array:
    return x - np.log(-np.expm1(x))


def _bell(x: Array) -> Array:
    return _sigmoid(x) * _sigmoid(-x)


def _entry(*names: str) -> Callable[[Callable[..., Pair]], Callable[..., Pair]]:
    def enter(function: Callable[..., Pair]) -> Callable[..., Pair]:
        BY_HAND.update(dict.fromkeys(names, function))
        return function

    return enter


def _equal(d: Array) -> Pair:
    return d, d


@_entry("DPO", "TIDPO", "LD-DPO", "WPO")
def _dpo(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return _equal(0.1 * _sigmoid(-0.1 * ((lw - rw) - (ll - rl))))


@_entry("R-DPO")
def _r_dpo(lw: Array, ll: Array, rw: Array, rl: Array, n: Array, m: Array) -> Pair:
    return _equal(0.1 * _sigmoid(-0.1 * ((lw - rw) - (ll - rl)) - 0.2 * (n - m)))


@_entry("SimPO")
def _simpo(lw: Array, ll: Array, _rw: Array, _rl: Array, n: Array, m: Array) -> Pair:
    s = 2.0 * _sigmoid(0.5 - 2.0 * (lw / n - ll / m))
    return s / n, s / m


@_entry("IPO")
def _ipo(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return _equal(10.0 - 2 * ((lw - rw) - (ll - rl)))


@_entry("RRHF")
def _rrhf(lw: Array, ll: Array, _rw: Array, _rl: Array, n: Array, m: Array) -> Pair:
    active = (ll / m > lw / n).astype(float)
    return active / n + 1.0, active / m


@_entry("SLiC-HF", "SLiC")
def _slic_hf(lw: Array, ll: Array, _rw: Array, _rl: Array, _n: Array, _m: Array) -> Pair:
    active = (1.0 - lw + ll > 0).astype(float)
    return active + 1.0, active


@_entry("CPO")
def _cpo(lw: Array, ll: Array, _rw: Array, _rl: Array, _n: Array, _m: Array) -> Pair:
    d = 0.1 * _sigmoid(-0.1 * (lw - ll))
    return d + 1.0, d


@_entry("DPOP")
def _dpop(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    fall = rw - lw
    d = 0.1 * _sigmoid(0.1 * (fall + ll - rl + 50.0 * np.maximum(fall, 0)))
    return d * (1 + 50.0 * (fall > 0)), d


@_entry("KTO")
def _kto(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return 0.1 * _bell(0.1 * (lw - rw)), 0.1 * _bell(0.1 * (ll - rl))


@_entry("SPPO")
def _sppo(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return 1000.0 - 2 * (lw - rw), 1000.0 + 2 * (ll - rl)


@_entry("Hinge")
def _hinge(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return _equal(0.1 * (0.1 * ((lw - rw) - (ll - rl)) < 1))


@_entry("cDPO")
def _cdpo(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return _equal(0.1 * (_sigmoid(-0.1 * ((lw - rw) - (ll - rl))) - 0.1))


@_entry("rDPO")
def _rdpo(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return _equal(0.1 * (_sigmoid(-0.1 * ((lw - rw) - (ll - rl))) + 0.125))


@_entry("EXO")
def _exo(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    x = 0.1 * ((lw - rw) - (ll - rl))
    return _equal(0.1 * _bell(x) * (np.log(0.999 / 0.001) - x))


@_entry("DiscoPOP")
def _discopop(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    x = 0.1 * ((lw - rw) - (ll - rl))
    s, other = _sigmoid(x / 0.05), _sigmoid(-x / 0.05)
    logistic = _sigmoid(-x) * other - _logsigmoid(x) * s * other / 0.05
    return _equal(0.1 * (logistic + np.exp(_logsigmoid(x / 0.05) - x) * (1 - other / 0.05)))


@_entry("IPO-P")
def _ipo_p(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    fall = rw - lw
    d = 2 * (5.0 + fall + ll - rl + 50.0 * np.maximum(fall, 0))
    return d * (1 + 50.0 * (fall > 0)), d


@_entry("DPO-norm")
def _dpo_norm(lw: Array, ll: Array, rw: Array, rl: Array, n: Array, m: Array) -> Pair:
    d = 0.1 * _sigmoid(-0.1 * ((lw - rw) / n - (ll - rl) / m))
    return d / n, d / m


@_entry("IPO-norm")
def _ipo_norm(lw: Array, ll: Array, rw: Array, rl: Array, n: Array, m: Array) -> Pair:
    d = 2 * (5.0 - (lw - rw) / n + (ll - rl) / m)
    return d / n, d / m


@_entry("DPO-FKL")
def _dpo_fkl(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    inverse_w, inverse_l = np.exp(rw - lw), np.exp(rl - ll)
    s = 0.1 * _sigmoid(0.1 * (inverse_w - inverse_l))
    return s * inverse_w, s * inverse_l


@_entry("DPO-JS")
def _dpo_js(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    ratio_w, ratio_l = lw - rw, ll - rl
    s = 0.1 * _sigmoid(0.1 * (_logsigmoid(ratio_l) - _logsigmoid(ratio_w)))
    return s * _sigmoid(-ratio_w), s * _sigmoid(-ratio_l)


@_entry("DPO-alpha")
def _dpo_alpha(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    power_w, power_l = -0.5 * (lw - rw), -0.5 * (ll - rl)
    s = 0.1 * _sigmoid(0.2 * (np.expm1(power_w) - np.expm1(power_l)))
    return s * np.exp(power_w), s * np.exp(power_l)


@_entry("BCO")
def _bco(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return 0.1 * _sigmoid(-0.1 * (lw - rw)), 0.1 * _sigmoid(0.1 * (ll - rl))


@_entry("NCA")
def _nca(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    x = 0.1 * (lw - rw)
    return 0.1 * (_sigmoid(-x) - _sigmoid(x) / 2), 0.05 * _sigmoid(0.1 * (ll - rl))


@_entry("APO-zero")
def _apo_zero(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return 0.1 * _bell(0.1 * (lw - rw)), 0.1 * _bell(0.1 * (ll - rl))


@_entry("APO-down")
def _apo_down(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    ratio_w = lw - rw
    d_l = 0.1 * _bell(0.1 * (ll - rl - ratio_w))
    return d_l - 0.1 * _bell(0.1 * ratio_w), d_l


@_entry("BCE")
def _bce(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return _sigmoid(rw - lw), _sigmoid(ll - rl)


@_entry("LSIF")
def _lsif(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return np.exp(lw - rw), np.exp(2 * (ll - rl))


@_entry("UKL")
def _ukl(lw: Array, ll: Array, _rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    return np.ones_like(lw), np.exp(ll - rl)


@_entry("DDRO")
def _ddro(lw: Array, ll: Array, _rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    ratio = np.exp(ll - rl)
    return np.ones_like(lw), ratio / np.maximum(2 - ratio, 1e-6)


@_entry("SFT")
def _sft(lw: Array, _ll: Array, _rw: Array, _rl: Array, n: Array, _m: Array) -> Pair:
    return 1 / n, np.zeros_like(lw)


@_entry("ORPO")
def _orpo(lw: Array, ll: Array, _rw: Array, _rl: Array, n: Array, m: Array) -> Pair:
    mean_w, mean_l = lw / n, ll / m
    s = 0.1 * _sigmoid(_logodds(mean_l) - _logodds(mean_w))
    return (1 - s / np.expm1(mean_w)) / n, -s / np.expm1(mean_l) / m


@_entry("RPO")
def _rpo(lw: Array, ll: Array, rw: Array, rl: Array, n: Array, _m: Array) -> Pair:
    d = 0.1 * _sigmoid(-0.1 * ((lw - rw) - (ll - rl)))
    return d + 1.0 / n, d


@_entry("CPO-SimPO")
def _cpo_simpo(lw: Array, ll: Array, _rw: Array, _rl: Array, n: Array, m: Array) -> Pair:
    s = 0.1 * _sigmoid(0.5 - 0.1 * (lw / n - ll / m))
    return (s + 1.0) / n, s / m


@_entry("MPO")
def _mpo(lw: Array, ll: Array, rw: Array, rl: Array, n: Array, _m: Array) -> Pair:
    x_w, x_l = 0.1 * (lw - rw), 0.1 * (ll - rl)
    s = 0.08 * _sigmoid(x_l - x_w)
    return s + 0.02 * _sigmoid(-x_w) + 1 / n, s + 0.02 * _sigmoid(x_l)


@_entry("PPO-clip")
def _ppo_clip(lw: Array, ll: Array, rw: Array, rl: Array, _n: Array, _m: Array) -> Pair:
    ratio_w, ratio_l = np.exp(lw - rw), np.exp(ll - rl)
    return np.where(ratio_w < 1.2, ratio_w, 0.0), np.where(ratio_l > 0.8, ratio_l, 0.0)
