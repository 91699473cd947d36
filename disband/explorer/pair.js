// The first tab: one pair, its band, and where the objective stands.
"use strict";
const pairNow = () => {
  const { margin, shift, ref_w, ref_l, len_w, len_l } = state.numbers;
  return [ref_w + shift + margin / 2, ref_l + shift - margin / 2, ref_w, ref_l, len_w, len_l];
};
const gramNow = () => gram_of_angle(state.numbers.cosine, state.numbers.norm_ratio);
const onlyNumbers = (now) => [now.d_w, now.d_l].every(Number.isFinite);

function trouble(pair, now) {
  const positive = ["log π_w", "log π_l"].filter((_, i) => !(pair[i] < 0));
  if (positive.length)
    return `${positive.join(" and ")} would not be negative: lower the margin, the shift or the reference.`;
  if (!onlyNumbers(now)) return "The incentives are not finite here: choose a less extreme pair.";
  return "";
}

function ratioWords({ d_w, d_l, ratio, low, high }) {
  if (d_l === 0) return "r = d_w/d_l is undefined, for d_l = 0: nothing pushes the rejected response";
  if (d_w <= 0 || d_l <= 0) {
    const which = d_w <= 0 && d_l <= 0 ? "both incentives are" : "one incentive is";
    return `r = ${shown(ratio)}, but ${which} not positive, so that the band does not apply`;
  }
  if (ratio < low) return `r = ${shown(ratio)}, below the band: ${shown(low / ratio)} times too small`;
  if (ratio > high) return `r = ${shown(ratio)}, above the band: ${shown(ratio / high)} times too large`;
  return `r = ${shown(ratio)}, inside the band`;
}

function bandWords({ low, high }, center) {
  if (high === Infinity) return "every ratio r > 0, for the scores do not point the same way (ρ ≤ 0)";
  return `${shown(low)} ≤ r ≤ ${shown(high)}, around r* = ${shown(center)}`;
}

function caseWords(now) {
  if (now.d_w === 0 && now.d_l === 0) return "nothing moves: both incentives are zero";
  return now.case === null ? "no case: a change is not a number" : DATA.cases[now.case];
}

function calibrationWords({ delta }) {
  return Number.isNaN(delta)
    ? "no positive factor helps, for both incentives would have to be positive"
    : `δ = ${shown(delta)}: with δ·d_w and d_l/δ the ratio is r*, the centre of the band`;
}

function wayWords(change, scale) {
  if (Math.abs(change) <= NOTHING * scale) return "stays";
  return `${change > 0 ? "↑ rises" : "↓ falls"} at ${shown(change)}`;
}

function kinkWords(sides, gram) {
  if (sides.length < 2) return "";
  const said = sides.map(({ d_w, d_l }) => {
    const kind = caseOf(first_order(d_w, d_l, ...gram));
    return `d_w = ${shown(d_w)}, d_l = ${shown(d_l)} (${kind === null ? "no case" : DATA.cases[kind]})`;
  });
  return `the loss has a kink here: a hair to its sides ${said.join(" or ")}; all else said is of the slope at the kink itself`;
}

function pathWords(way, inside, kinked) {
  if (way.length < 2 && kinked) return "no path from a kink: each step changes which side holds";
  if (way.length < 2) return "the pair stays where it is";
  const first = inside.indexOf(true);
  const last = inside.length - 1;
  const gone = shown((way.length - 1) * 0.05);
  if (first < 0) return `never in the band within ${gone} nats`;
  const left = inside.indexOf(false, first);
  if (first === 0 && left < 0) return `in the band for all ${gone} nats`;
  if (left < 0) return `enters the band after ${shown(first * 0.05)} nats and stays in it for the rest of ${gone}`;
  const back = inside[last] ? ", and is back at the end" : "";
  return `in the band from ${shown(first * 0.05)} to ${shown(left * 0.05)} nats${back}`;
}

function showPair() {
  const [pair, gram] = [pairNow(), gramNow()];
  const now = standing(pair, gram);
  const wrong = trouble(pair, now);
  $("trouble").textContent = wrong;
  $("trouble").hidden = !wrong;
  $("standing").hidden = Boolean(wrong);
  const cosine = state.numbers.cosine;
  const center = state.numbers.norm_ratio;
  const spoken = wrong ? "no pair" : caseWords(now);
  if (state.tab === "pair") status(spoken, wrong ? null : now.case);
  const sides = wrong ? [] : sidesOfKink(pair);
  const kinked = kinkWords(sides, gram);
  $("kink").textContent = kinked;
  for (const one of document.querySelectorAll(".kinked")) one.hidden = !kinked;
  const way = wrong ? [] : path(pair, gram, state.numbers.way);
  const steps = way.map((at) => {
    const there = incentives(at);
    return { log: logRatio(there), inside: caseOf(first_order(there.d_w, there.d_l, ...gram)) === IDEAL };
  });
  const scale = Math.max(Math.abs(now.d_w), Math.abs(now.d_l)) * Math.max(gram[0], gram[1]);
  tell("case", now.case, spoken);
  for (const [i, name] of ["logp_w", "logp_l"].entries()) tell(name, pair[i]);
  for (const name of ["loss", "d_w", "d_l"]) tell(name, now[name]);
  tell("low", now.low, bandWords(now, center));
  $("low").dataset.high = now.high;
  tell("ratio", now.ratio, ratioWords(now));
  tell("change_w", now.changes[0], wayWords(now.changes[0], scale));
  tell("change_l", now.changes[1], wayWords(now.changes[1], scale));
  tell("delta", now.delta, calibrationWords(now));
  const end = way[way.length - 1] ?? pair;
  tell("path", end[0] - end[1], pathWords(way, steps.map((one) => one.inside), Boolean(kinked)));
  $("path").dataset.w = end[0];
  $("path").dataset.l = end[1];
  drawPlane("plane", Math.log(center), steps.map((one) => [cosine, one.log]), [cosine, wrong ? NaN : now.log]);
  fill("plane", "plane.mended", wrong || Number.isNaN(now.delta) ? { x: [], y: [] } : { x: [cosine], y: [Math.log(center)] });
  showBeside(wrong ? null : pair, gram);
  drawDirections(wrong ? [0, 0] : now.changes, scale);
  drawScores(gram, wrong ? { d_w: 0, d_l: 0 } : now);
}

function drawDirections(changes, scale) {
  const most = Math.max(...changes.map(Math.abs)) || 1;
  ["w", "l"].forEach((side, i) => {
    const moves = Math.abs(changes[i]) > NOTHING * scale;
    fill("directions", `directions.${side}`, moves
      ? { x: [i], y0: [0], y1: [changes[i]], text: [shown(changes[i])] }
      : { x: [], y0: [], y1: [], text: [] });
  });
  ranges("directions", null, [-1.25 * most, 1.25 * most]);
}

// a points right; b at its angle; the step d_w a − d_l b is drawn as long as the longer score.
function drawScores([A, B, X], { d_w, d_l }) {
  const [long_a, long_b] = [Math.sqrt(A), Math.sqrt(B)];
  const cosine = X / (long_a * long_b);
  const a = [long_a, 0];
  const b = [long_b * cosine, long_b * Math.sqrt(Math.max(0, 1 - cosine * cosine))];
  const step = [d_w * a[0] - d_l * b[0], d_w * a[1] - d_l * b[1]];
  const size = Math.hypot(...step);
  const reach = Math.max(long_a, long_b);
  const ends = { a, b, step: step.map((v) => (size > 0 ? (v / size) * reach : 0)) };
  for (const [name, [x1, y1]] of Object.entries(ends)) {
    const none = name === "step" && !(size > 0);
    fill("scores", `scores.${name}`, none
      ? { x0: [], y0: [], x1: [], y1: [], x: [], y: [], text: [] }
      : { x0: [0], y0: [0], x1: [x1], y1: [y1], ...beyond(x1, y1, 0.14 * reach), text: [name] });
  }
  const xs = [0, ...Object.values(ends).map(([x]) => x)];
  const ys = [0, ...Object.values(ends).map(([, y]) => y)];
  const pad = 0.3 * reach;
  const spans = [xs, ys].map((all) => [Math.min(...all) - pad, Math.max(...all) + pad]);
  equalRanges("scores", spans);
}

function beyond(x, y, by) {
  const size = Math.hypot(x, y);
  return { x: [x * (1 + by / size)], y: [y * (1 + by / size)] };
}
