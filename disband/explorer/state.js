// What is set: by controls, by the address, and back into the address.
"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const TABS = ["pair", "toys", "horizon", "tokens"];
const MENUS = {
  toy: Object.keys(DATA.toys),
  when: DATA.tokens ? DATA.tokens.when : [],
  example: DATA.tokens ? DATA.tokens.products[0].map((_, i) => String(i)) : [],
};
const START = Object.fromEntries(DATA.controls.map((one) => [one.key, one.start]));
const FIRST = { toy: "edit-one-shared", when: MENUS.when[0], example: MENUS.example[0] };
const state = { tab: "pair", objective: 0, other: -1, hyper: {}, numbers: {}, menus: {} };

const objective = () => DATA.objectives[state.objective];
const hyper = () => objective().parameters.map((one) => state.hyper[one.name]);
const usual = (at) =>
  Object.fromEntries(DATA.objectives[at].parameters.map((one) => [one.name, one.start]));
const place = (name) => DATA.objectives.findIndex((one) => one.name === name);
const within = (one, value) =>
  Number.isFinite(value) &&
  (one.least == null || value >= one.least) &&
  (one.most == null || value <= one.most) &&
  !(one.sign === "positive" && value <= 0) &&
  !(one.sign === "nonnegative" && value < 0) &&
  !(one.below != null && value >= one.below) &&
  (one.scale !== "whole" || Number.isInteger(value));

// A hyperparameter's slider reaches as far around its default as its range lets it.
function sliderOf(one) {
  const free = { ...one, key: `set.${one.name}`, scale: "linear", group: "hyper" };
  if (one.below != null) return { ...free, low: 0.005 * one.below, high: 0.995 * one.below };
  if (one.sign === "positive") return { ...free, scale: "log", low: one.start / 50, high: one.start * 50 };
  const far = Math.max(2, 5 * Math.abs(one.start));
  return { ...free, low: one.sign === "nonnegative" ? 0 : -far, high: far };
}

// What a number may be, in words.
function rangeOf(one) {
  const whole = one.scale === "whole" ? "a whole number " : "a number ";
  if (one.sign === "positive") return `${whole}above 0${one.below == null ? "" : ` and below ${one.below}`}`;
  if (one.sign === "nonnegative") return `${whole}of at least 0${one.below == null ? "" : ` and below ${one.below}`}`;
  const ends = [one.least == null ? "" : `from ${one.least}`, one.most == null ? "" : `${one.least == null ? "up " : ""}to ${one.most}`];
  return minus(`${whole}${ends.filter(Boolean).join(" ")}`.trim());
}

// Set what the address says; return in words what in it cannot be.
function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  const faults = [];
  const read = new Set(["tab", "objective", "other"]);
  const number = (one, key) => {
    const text = said.get(key);
    read.add(key);
    if (text == null) return one.start;
    if (text.trim() !== "" && within(one, Number(text))) return Number(text);
    faults.push(`${key} is ${rangeOf(one)}: got “${text}”, and ${one.start} stands`);
    return one.start;
  };
  const chosen = (key, known, otherwise) => {
    const text = said.get(key);
    read.add(key);
    if (text == null || known.includes(text)) return text ?? otherwise;
    faults.push(`${key} has no “${text}”${otherwise ? `: ${otherwise} stands` : ""}`);
    return otherwise;
  };
  const loss = said.get("loss");
  read.add("loss");
  if (loss !== null)
    try {
      takeLoss(loss);
    } catch (error) {
      if (!(error instanceof FormulaFault)) throw error;
      faults.push(`loss: ${error.message}`);
    }
  const names = DATA.objectives.map((one) => one.name);
  state.tab = chosen("tab", TABS, TABS[0]);
  state.objective = place(chosen("objective", names, DATA.first));
  state.other = place(chosen("other", names, ""));
  for (const one of DATA.controls) state.numbers[one.key] = number(one, one.key);
  state.hyper = {};
  for (const one of objective().parameters) state.hyper[one.name] = number(one, `set.${one.name}`);
  for (const [key, known] of Object.entries(MENUS))
    if (known.length) state.menus[key] = chosen(key, known, FIRST[key]);
  const unknown = [...said.keys()].filter((key) => !read.has(key));
  if (unknown.length) faults.push(`nothing here is called ${unknown.map((key) => `“${key}”`).join(", ")}`);
  return faults;
}

function tellFaults(faults) {
  $("faults").hidden = !faults.length;
  $("faults").textContent = faults.length ? `The address says what cannot be: ${faults.join("; ")}.` : "";
}

// Browsers refuse to be told every movement of a slider.
let writing = null;
let written = false;
function keepAddress() {
  clearTimeout(writing);
  writing = setTimeout(writeAddress, 250);
}

function writeAddress() {
  const said = new URLSearchParams({ tab: state.tab, objective: objective().name });
  if (state.other >= 0) said.set("other", DATA.objectives[state.other].name);
  if ([state.objective, state.other].includes(place(TYPED)) && place(TYPED) >= 0)
    said.set("loss", DATA.objectives[place(TYPED)].loss);
  for (const one of objective().parameters)
    if (state.hyper[one.name] !== one.start) said.set(`set.${one.name}`, state.hyper[one.name]);
  for (const [key, value] of Object.entries(state.numbers))
    if (value !== START[key]) said.set(key, value);
  for (const [key, value] of Object.entries(state.menus))
    if (value !== FIRST[key]) said.set(key, value);
  // Every setting that one stays at is a page to go back to; the first is the page itself.
  if (`#${said}` === location.hash) return;
  history[written ? "pushState" : "replaceState"](null, "", `#${said}`);
  written = true;
}

// One control: a slider for the feel of it, a number for the exact value.
function control(one, value, set) {
  const log = one.scale === "log";
  const [to, from] = log ? [Math.log10, (x) => 10 ** x] : [(x) => x, (x) => x];
  const row = document.createElement("div");
  row.className = "control";
  const label = row.appendChild(document.createElement("label"));
  label.htmlFor = `${one.key}-number`;
  label.textContent = one.label;
  const number = row.appendChild(document.createElement("input"));
  Object.assign(number, { type: "number", id: `${one.key}-number`, step: "any" });
  if (one.scale === "whole") number.step = 1;
  const slider = row.appendChild(document.createElement("input"));
  const [low, high] = [to(one.low), to(one.high)];
  const step = one.scale === "whole" ? 1 : (high - low) / 200;
  Object.assign(slider, { type: "range", id: one.key, min: low, max: high, step });
  slider.setAttribute("aria-label", one.label);
  const show = (now) => {
    slider.value = to(now);
    slider.setAttribute("aria-valuetext", shown(now));
    if (document.activeElement !== number || Number(number.value) !== now) number.value = now;
  };
  const take = (now, wrong) => {
    number.setAttribute("aria-invalid", wrong);
    if (!wrong) set(now);
  };
  slider.addEventListener("input", () => {
    const now = from(Number(slider.value));
    const kept = within(one, now) ? now : one.start;
    number.value = one.scale === "whole" ? kept : Number(kept.toPrecision(6));
    slider.setAttribute("aria-valuetext", shown(kept));
    take(Number(number.value), false);
  });
  number.addEventListener("input", () => {
    const wrong = number.value === "" || !within(one, Number(number.value));
    take(Number(number.value), wrong);
    if (!wrong) slider.value = to(Number(number.value));
  });
  number.addEventListener("blur", () => {
    if (number.getAttribute("aria-invalid") !== "true") return;
    number.setAttribute("aria-invalid", false);
    show(one.group === "hyper" ? state.hyper[one.name] : state.numbers[one.key]);
  });
  show(value);
  return row;
}
