// The second tab: a toy run, step by step.
"use strict";
const PLACES = ["before", "at", "after"];
const WHERE = { before: "before they differ", at: "where they differ", after: "after they differ" };
const MOST_STEPS = 2000;
const BEYOND = 3; // times what was before a step left the first-order regime: the picture ends there
const BEAT = 80; // milliseconds between two steps
let run = null;
let timer = null;
let ranWith = "";

function beginRun() {
  pause();
  run = new Run(state.menus.toy, state.numbers);
  showRun();
}

// A run begins anew where anything changes that it rests on.
function runAgainIfNeeded() {
  const { toy } = state.menus;
  const settings = JSON.stringify([state.objective, state.hyper, toy, state.numbers]);
  if (settings === ranWith) return;
  ranWith = settings;
  for (const group of ["single", "edit"])
    $(`controls-${group}`).hidden = (group === "single") !== (toy === "single-token");
  $("toy-summary").textContent = DATA.toys[toy].summary;
  beginRun();
}

function stepRun(count = 1) {
  for (let i = 0; i < count && run.states.length <= MOST_STEPS && !run.lost; i++) run.step();
  if (run.lost || run.states.length > MOST_STEPS) pause();
  showRun();
}

function play() {
  if (timer) return pause();
  timer = setInterval(stepRun, BEAT);
  $("play").textContent = "Pause";
  $("status").setAttribute("aria-live", "off"); // nobody wants every step read out
  $("play").setAttribute("aria-pressed", "true");
}

function pause() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "Play";
  $("status").setAttribute("aria-live", "polite");
  $("play").setAttribute("aria-pressed", "false");
}

const sign = (now) => {
  const spread = now.d_w || now.d_l ? caseOf(now.changes) : null;
  return spread === null ? "nothing moves: both incentives are zero" : DATA.cases[spread];
};

function runWords() {
  const { states } = run;
  const changes = range(states.length - 1).map((t) =>
    ["logp_w", "logp_l"].map((side) => states[t + 1][side] - states[t][side]));
  const right = changes.filter((pair, t) =>
    pair.every((change, i) => Math.sign(change) === Math.sign(states[t].changes[i]))).length;
  const fell = changes.findIndex(([change]) => change < 0);
  const words = [`predicted at the start: ${sign(states[0])}`];
  if (changes.length) {
    words.push(`the predicted signs were right in ${Math.round((100 * right) / changes.length)} % of the steps`);
    words.push(fell < 0 ? "the chosen log-probability never fell"
      : `the chosen log-probability first fell in step ${fell + 1}`);
  }
  const off = run.strayed();
  if (off) words.push(`step ${off.step} left the first-order regime: first order said ${shown(off.said)} nats for the ${["chosen", "rejected"][off.side]}, it was ${shown(off.came)}`);
  const cut = run.cut;
  if (cut) words.push(`the picture is cut at ${shown(cut.at)} nats, and the run goes to ${shown(cut.to)}`);
  if (run.lost) words.push("the next step leaves the finite numbers: take a smaller step size");
  return words.join("; ") + ".";
}

function tableRow(name, cells) {
  const row = document.createElement("tr");
  const head = row.appendChild(document.createElement("th"));
  head.scope = "row";
  head.textContent = name;
  for (const value of cells) {
    const cell = row.appendChild(document.createElement("td"));
    cell.textContent = shown(value);
    cell.dataset.value = value;
  }
  return row;
}

function showRun() {
  const { states } = run;
  const now = states[states.length - 1];
  if (state.tab === "toys")
    status(now ? `step ${states.length - 1}: ${sign(now)}` : "no run", now ? caseOf(now.changes) : null);
  if (!now) {
    $("toy-words").textContent = "The start is not finite: choose other settings.";
    return;
  }
  tell("steps", states.length - 1);
  tell("rate-now", run.rate);
  for (const name of ["logp_w", "logp_l", "d_w", "d_l"]) tell(`toy-${name}`, now[name]);
  const [A, B, X] = now.gram;
  const cosineOf = ([a, b, x]) => (a > 0 && b > 0 ? x / (Math.sqrt(a) * Math.sqrt(b)) : NaN);
  const centerOf = ([a, b]) => Math.log(b / a) / 2;
  tell("toy-cosine", cosineOf(now.gram));
  tell("toy-norm_ratio", Math.sqrt(B / A));
  const sides = PLACES.map((place) => [place, run.at(place, 0), run.at(place, 1)]).filter(([, w]) => w.there);
  const last = ({ first, exact }) => [first, exact[exact.length - 1]];
  const cells = sides.map(([place, w, l]) => [WHERE[place], [...last(w), ...last(l)]]);
  if (cells.length > 1) cells.push(["whole response", range(4).map((i) => sum(cells.map(([, row]) => row[i])))]);
  $("toy-table").replaceChildren(...cells.map(([name, row]) => tableRow(name, row)));
  const since = (side) => states.map((one) => one[side] - states[0][side]);
  const lines = { step: range(states.length), logp_w: since("logp_w"), logp_l: since("logp_l") };
  for (const place of PLACES) {
    const found = sides.find(([name]) => name === place);
    lines[place] = found && cells.length > 1 ? found[1].exact : states.map(() => NaN);
  }
  drawCourses(lines, cells.length > 1);
  $("toy-words").textContent = runWords();
  const way = states.map((one) => [cosineOf(one.gram), logRatio(one) - centerOf(one.gram)]);
  const cosines = way.map(([rho]) => rho).filter(Number.isFinite);
  const across = [Math.max(-1, Math.min(...cosines) - 0.3), Math.min(1, Math.max(...cosines) + 0.3)];
  drawPlane("toyplane", 0, way, way[way.length - 1], 0.6, cosines.length ? across : [-1, 1]);
  drawShares(states[0].shares, now.shares);
  showCommand();
}

function drawCourses(lines, several) {
  run.cut = null;
  if (!drawn.courses) return;
  for (const item of drawn.courses.all.filter((one) => one.type === "LegendItem"))
    item.visible = several || !/,/.test(item.label.value);
  fill("courses", "courses.lines", lines);
  const values = Object.entries(lines).flatMap(([name, all]) => (name === "step" ? [] : all)).filter(Number.isFinite);
  let [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const off = run.strayed();
  if (off) {
    const before = Object.entries(lines).flatMap(([name, all]) => (name === "step" ? [] : all.slice(0, off.step)));
    const ordinary = Math.max(...before.filter(Number.isFinite).map(Math.abs), Math.abs(off.said));
    const at = BEYOND * ordinary;
    const to = Math.abs(low) > high ? low : high;
    if (Math.abs(to) > at) run.cut = { at: Math.sign(to) * at, to };
    [low, high] = [Math.max(low, -at), Math.min(high, at)];
  }
  const pad = 0.08 * (high - low) || 1;
  ranges("courses", [0, Math.max(10, lines.step.length - 1)], [low - pad, high + pad]);
}

function drawShares(start, now) {
  const style = getComputedStyle(document.documentElement);
  const colors = ["--chosen", "--rejected", "--other"].map((name) => style.getPropertyValue(name).trim());
  fill("shares", "shares.bars", {
    token: range(now.length), now, start, color: now.map((_, k) => colors[Math.min(k, 2)]),
  });
  ranges("shares", [-0.6, now.length - 0.4], [0, Math.min(1.05, 1.15 * Math.max(...now, ...start))]);
}
