// The tab of the horizon: the first update of a toy, made again and again, beside the real run.
"use strict";
const POINTS = 100; // of a curve
const HALVINGS = 80;

// What each response goes through if every row moves as in the first step: row, moves, token.
function raysOf(begun) {
  const { scale, rows, w, l } = begun.problem;
  const { logs } = view(begun.problem);
  const all = logs.map((row, c) => ({
    row: row.map(Math.exp),
    moves: begun.move[rows[c]].map((v) => scale * v),
  }));
  return [w, l].map((emitted) =>
    emitted.flatMap((token, c) => (token === NONE ? [] : [{ ...all[c], token }])));
}

const mean = (row, values) => sum(row.map((share, k) => (share > 0 ? share * values[k] : 0)));
const slopeOf = (ray) => sum(ray.map(({ row, moves, token }) => moves[token] - mean(row, moves)));
const curvatureOf = (ray) => -sum(ray.map(({ row, moves }) => {
  const center = mean(row, moves);
  return mean(row, moves.map((v) => (v - center) ** 2));
}));

// Exact change after t steps: t·u_j less the log of the mean of exp(t·u), which nothing overflows.
function changeOf(ray, t) {
  return sum(ray.map(({ row, moves, token }) => {
    const most = Math.max(...moves.filter((_, k) => row[k] > 0));
    return t * (moves[token] - most) - Math.log(mean(row, moves.map((v) => Math.exp(t * (v - most)))));
  }));
}

// Until when the change is positive: 0 if never, infinite if for ever; it is concave.
function turningOf(ray) {
  if (!(slopeOf(ray) > 0)) return 0;
  const last = sum(ray.map(({ row, moves, token }) =>
    moves[token] - Math.max(...moves.filter((_, k) => row[k] > 0))));
  if (last >= 0) return Infinity;
  let [low, high] = [0, 1];
  while (changeOf(ray, high) > 0 && high < 1e300) high *= 2;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    [low, high] = changeOf(ray, middle) > 0 ? [middle, high] : [low, middle];
  }
  return (low + high) / 2;
}

function horizonOf(ray) {
  const [slope, curvature] = [slopeOf(ray), curvatureOf(ray)];
  const parabola = slope > 0 ? (curvature < 0 ? (-2 * slope) / curvature : Infinity) : 0;
  return { slope, curvature, turning: turningOf(ray), parabola };
}

function turningWords(side, { slope, turning, parabola }) {
  if (!(slope > 0)) return `the ${side} ${slope < 0 ? "falls from the first step on" : "does not move in the first step"}`;
  if (turning === Infinity) return `the ${side} rises for ever: no token moves more than the one it emits`;
  return `the ${side} rises at first, and after ${shown(turning)} steps of the first update its rise is undone (the parabola says ${shown(parabola)})`;
}

// The real run, whose update changes from step to step: until when it is above its start.
function ranWords(side, changes) {
  const back = changes.findIndex((change, t) => t > 0 && change < 0);
  if (back < 0) return `in the real run the ${side} stays above its start for all ${changes.length - 1} steps`;
  return back === 1 ? `in the real run the ${side} falls in the first step`
    : `in the real run the ${side} is below its start from step ${back} on`;
}

let ahead = null;
function showHorizon() {
  if (state.tab !== "horizon") return;
  const steps = state.numbers.ahead;
  const key = JSON.stringify([ranWith, steps]);
  if (ahead?.key !== key) {
    const begun = new Run(state.menus.toy, state.numbers);
    if (!begun.states.length) return tellHorizon("The start is not finite: choose other settings.");
    const rays = raysOf(begun);
    for (let i = 0; i < steps && !begun.lost; i++) begun.step();
    ahead = { key, rays, states: begun.states, horizons: rays.map(horizonOf) };
  }
  const words = [];
  for (const [i, side] of ["chosen", "rejected"].entries()) {
    const found = ahead.horizons[i];
    const logp = ["logp_w", "logp_l"][i];
    const ran = ahead.states.map((one) => one[logp] - ahead.states[0][logp]);
    words.push(turningWords(side, found));
    if (i === 0) words.push(ranWords(side, ran));
    for (const name of ["slope", "curvature", "turning", "parabola"]) tell(`horizon-${name}-${"wl"[i]}`, found[name]);
    drawHorizon(`horizon_${"wl"[i]}`, ahead.rays[i], found, ran, steps);
  }
  tellHorizon(`${words.join("; ")}.`);
  status(words[0], null);
}

function tellHorizon(text) {
  $("horizon-words").textContent = text;
}

function drawHorizon(name, ray, { slope, curvature, turning, parabola }, ran, steps) {
  if (!drawn[name]) return;
  const t = range(POINTS + 1).map((i) => (i * steps) / POINTS);
  const first = t.map((x) => x * slope);
  const second = t.map((x) => x * slope + (x * x * curvature) / 2);
  const exact = t.map((x) => changeOf(ray, x));
  fill(name, `${name}.lines`, { t, first, second, exact });
  const every = Math.max(1, Math.ceil(ran.length / 25));
  const marks = range(ran.length).filter((i) => i % every === 0);
  fill(name, `${name}.run`, { t: marks, change: marks.map((i) => ran[i]) });
  const seen = [...exact, ...ran, 0].filter(Number.isFinite);
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const pad = 0.15 * (high - low) || 1;
  ranges(name, [0, steps], [low - pad, high + pad]);
  for (const [what, at] of [["turning", turning], ["parabola", parabola]]) {
    const there = at > 0 && at <= steps;
    named(name, `${name}.${what}`).setv({ location: there ? at : 0, visible: there });
  }
}
