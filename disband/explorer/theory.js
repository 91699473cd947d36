// What follows from a pair and a Gram. Every formula here is printed by Python, above.
"use strict";
const IDEAL = 0;
const NOTHING = 1e-12; // relative: what rounding leaves of an exact zero

function incentives(pair, at = state.objective, values = hyper()) {
  const [loss, d_w, d_l] = INCENTIVES[at](...pair, ...values);
  return { loss, d_w, d_l };
}

// The band of positive incentives; where the scores do not point the same way, all of them.
function band(A, B, X) {
  return X <= 0 ? [0, Infinity] : band_edges(A, B, X);
}

// Both first-order changes decide, without division: a ratio forgets the signs.
function caseOf([change_w, change_l]) {
  return Number.isNaN(change_w + change_l) ? null : (change_w < 0 ? 1 : 0) + (change_l > 0 ? 2 : 0);
}

function positive({ d_w, d_l }) {
  return d_w > 0 && d_l > 0;
}

function logRatio(now) {
  return positive(now) ? Math.log(now.d_w) - Math.log(now.d_l) : NaN;
}

// Where a pair stands: what disband band prints.
function standing(pair, gram, at = state.objective, values = hyper()) {
  const now = incentives(pair, at, values);
  const { d_w, d_l } = now;
  const [A, B, X] = gram;
  const changes = first_order(d_w, d_l, A, B, X);
  const [low, high] = band(A, B, X);
  const delta = positive(now) && A > 0 && B > 0 ? calibration(d_w, d_l, A, B) : NaN;
  return { ...now, changes, low, high, delta, ratio: d_w / d_l, log: logRatio(now), case: caseOf(changes) };
}

// The incentives on all sides of a kink that the pair stands at; none where it stands at none.
function sidesOfKink(pair, at = state.objective, values = hyper()) {
  const scale = 1 + Math.max(...pair.slice(0, 4).map(Math.abs));
  if (!KINKS[at](...pair, ...values).some((v) => Math.abs(v) <= NOTHING * scale)) return [];
  const near = 1e-7 * scale;
  const moves = [[near, 0], [-near, 0], [0, near], [0, -near]];
  const sides = moves.map(([w, l]) => incentives([pair[0] + w, pair[1] + l, ...pair.slice(2)], at, values));
  const far = (one, other) => Math.abs(one.d_w - other.d_w) + Math.abs(one.d_l - other.d_l);
  const most = Math.max(...sides.flatMap((side) => [Math.abs(side.d_w), Math.abs(side.d_l)]));
  return sides.filter((side, i) => sides.slice(0, i).every((other) => far(side, other) > 1e-3 * most));
}

// A way through training with the scores held: both log-probabilities move as first order says,
// the faster of them by `stride` nats at a time (midpoint rule).
function path(pair, gram, way, stride = 0.05) {
  const speeds = (at) => {
    const { d_w, d_l } = incentives(at);
    const [w, l] = first_order(d_w, d_l, ...gram);
    const fastest = Math.max(Math.abs(w), Math.abs(l));
    return [w, l, fastest, Math.max(Math.abs(d_w), Math.abs(d_l)) * Math.max(...gram.map(Math.abs))];
  };
  const moved = (at, [w, l, fastest], far) =>
    [at[0] + (far * w) / fastest, at[1] + (far * l) / fastest, ...at.slice(2)];
  const states = [pair];
  let now = pair;
  for (let gone = 0; gone < way - 1e-9; gone += stride) {
    const far = Math.min(stride, way - gone);
    const here = speeds(now);
    if (!(here[2] > NOTHING * here[3])) break;
    const middle = speeds(moved(now, here, far / 2));
    // where the motion turns around, the pair has come to rest
    if (!(here[0] * middle[0] + here[1] * middle[1] > 0)) break;
    const next = moved(now, middle, far);
    if (!(next[0] < 0 && next[1] < 0)) break;
    states.push((now = next));
  }
  return states;
}
