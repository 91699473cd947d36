// What can be taken along: the command that says the same, numbers, LaTeX, the picture.
"use strict";
const quoted = (text) => (/^[\w.@%+=:,/-]+$/.test(text) ? text : `"${text.replace(/(["\\$`])/g, "\\$1")}"`);
const settings = (pairs) => pairs.map(([name, value]) => ` --set ${name}=${value}`).join("");

function objectiveWords() {
  const set = objective().parameters.filter((one) => state.hyper[one.name] !== one.start || objective().loss);
  const loss = objective().loss;
  const name = loss ? `--loss ${quoted(loss)}` : quoted(objective().name.toLowerCase());
  return [name, set.map((one) => [one.name, state.hyper[one.name]])];
}

// The command that prints the same in a terminal.
function command() {
  const [name, set] = objectiveWords();
  if (["toys", "horizon"].includes(state.tab)) {
    const { toy } = state.menus;
    const group = toy === "single-token" ? "single" : "edit";
    const own = DATA.controls.filter((one) => one.key !== "rate" && [group, "toy"].includes(one.group));
    const moved = own.filter((one) => state.numbers[one.key] !== DATA.toys[toy].defaults[one.key]);
    const where = toy === "single-token" ? "single-token" : `edit-one --policy ${toy.replace("edit-one-", "")}`;
    const steps = state.tab === "horizon" ? state.numbers.ahead : Math.max(1, run.states.length - 1);
    const taken = moved.map((one) => [one.key, state.numbers[one.key]]);
    return `disband simulate ${name} --toy ${where} --steps ${steps} --lr ${run.rate}${settings([...set, ...taken])}`;
  }
  const [logp_w, logp_l, ref_w, ref_l, len_w, len_l] = pairNow();
  const { cosine, norm_ratio } = state.numbers;
  const numbers = { "cos": cosine, "norm-ratio": norm_ratio, "logp-w": logp_w, "logp-l": logp_l,
    "ref-w": ref_w, "ref-l": ref_l, "len-w": len_w, "len-l": len_l };
  const said = Object.entries(numbers).map(([key, value]) => ` --${key} ${value}`).join("");
  return `disband band ${name}${said}${settings(set)}`;
}

// Of the tab that is seen, every number that it shows, in all of its digits.
function numbersNow() {
  const told = { objective: objective().name, set: { ...state.hyper }, command: command() };
  if (state.tab === "horizon") {
    const sides = Object.fromEntries(["chosen", "rejected"].map((side, i) => [side, ahead.horizons[i]]));
    return { ...told, toy: state.menus.toy, settings: { ...state.numbers }, rate: run.rate, ...sides };
  }
  if (state.tab === "toys") {
    const { toy } = state.menus;
    const keys = ["logp_w", "logp_l", "d_w", "d_l", "gram", "changes"];
    const states = run.states.map((one) => Object.fromEntries(keys.map((key) => [key, one[key]])));
    return { ...told, toy, settings: { ...state.numbers }, rate: run.rate, states };
  }
  const [logp_w, logp_l, ref_w, ref_l, len_w, len_l] = pairNow();
  const { cosine, norm_ratio } = state.numbers;
  const { loss, d_w, d_l, changes, low, high, delta, case: kind } = standing(pairNow(), gramNow());
  return { ...told, pair: { logp_w, logp_l, ref_w, ref_l, len_w, len_l }, scores: { cosine, norm_ratio },
    loss, d_w, d_l, change_w: changes[0], change_l: changes[1], band: { low, high }, delta,
    case: kind === null ? null : DATA.cases[kind] };
}

// Infinities and what is undefined have no place in JSON, as in what the program writes.
const json = (value) => JSON.stringify(value, null, 1);

function latexNow() {
  const formulas = Object.values(objective().latex ?? {});
  const { d_w, d_l, low, high, delta } = standing(pairNow(), gramNow());
  const digits = (v) => (Number.isFinite(v) ? String(Number(v.toPrecision(6))) : "\\infty");
  const { cosine, norm_ratio } = state.numbers;
  const here = [`\\rho = ${digits(cosine)}`, `r^* = ${digits(norm_ratio)}`, `d_w = ${digits(d_w)}`,
    `d_l = ${digits(d_l)}`, `r = ${digits(d_w / d_l)}`, `r \\in [${digits(low)}, ${digits(high)}]`];
  if (!Number.isNaN(delta)) here.push(`\\delta = ${digits(delta)}`);
  const lines = [...formulas, here.join(",\\quad ")];
  return `\\begin{gather*}\n${lines.join(" \\\\\n")}\n\\end{gather*}`;
}

async function give(text, said) {
  $("taken").hidden = false;
  $("taken").value = text;
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copied = false;
    $("taken").select();
  }
  $("given").textContent = copied ? `${said}: copied.` : `${said}: here to copy.`;
}

async function givePicture() {
  const [name] = FIGURES[state.tab];
  const layer = drawn[name].view.export("png");
  const link = document.createElement("a");
  link.download = `disband-${name}.png`;
  link.href = layer.canvas.toDataURL("image/png");
  link.click();
  $("given").textContent = `The picture: saved as ${link.download}.`;
}

function showCommand() {
  const there = state.tab !== "tokens";
  $("same").hidden = !there;
  if (there && (state.tab === "pair" || run)) $("command").textContent = command();
}

function startExport() {
  $("give-command").addEventListener("click", () => give(command(), "The command"));
  $("give-numbers").addEventListener("click", () => give(json(numbersNow()), "The numbers"));
  $("give-latex").addEventListener("click", () => give(latexNow(), "LaTeX"));
  $("give-picture").addEventListener("click", givePicture);
}
