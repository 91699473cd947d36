// Numbers in words, and the pictures: declared in Python, filled here.
"use strict";
const minus = (text) => text.replace("-", "−");
function shown(value) {
  if (Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return minus(size < 1e-4 || size >= 1e5 ? value.toExponential(3) : String(Number(value.toPrecision(4))));
}

// Write a number for people, and all of its digits for machines.
function tell(id, value, text = shown(value)) {
  const at = $(id);
  if (at.textContent !== text) at.textContent = text;
  if (value === null) delete at.dataset.value;
  else at.dataset.value = String(value);
}

const drawn = {};

const named = (name, what) => drawn[name].references.get(what);

async function embed(names) {
  for (const name of names.filter((one) => !(one in drawn) && DATA.figures[one])) {
    const item = DATA.figures[name];
    drawn[name] = null;
    const views = await Bokeh.embed.embed_item({ ...item, target_id: `figure-${name}` });
    const [view] = views.roots ?? views;
    const figure = view.model;
    const all = [...figure.references()];
    const references = new Map(all.filter((one) => one.name).map((one) => [one.name, one]));
    drawn[name] = { figure, view, all, references };
    dress(name);
  }
}

// The colours that a picture was declared with, by model and property.
const declared = new Map();
function paint(model, style, changes) {
  for (const key of ["line_color", "fill_color", "color"].filter((one) => one in model.properties)) {
    const id = `${model.id}.${key}`;
    const value = model[key]?.value ?? model[key];
    if (!declared.has(id)) declared.set(id, typeof value === "string" ? value : null);
    const name = DATA.paints[declared.get(id)];
    if (!name) continue;
    const color = style.getPropertyValue(name).trim();
    changes[key] = model[key]?.value === undefined ? color : { value: color };
  }
}

// Bokeh draws on a canvas, which no style sheet reaches.
function dress(name) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const soft = style.getPropertyValue("--soft").trim();
  const line = style.getPropertyValue("--line").trim();
  const paper = style.getPropertyValue("--paper").trim();
  const paints = { background_fill_color: paper, border_fill_color: paper, outline_line_color: line };
  const wanted = {
    axis_line_color: soft,
    major_tick_line_color: soft,
    minor_tick_line_color: null,
    major_label_text_color: ink,
    axis_label_text_color: ink,
    grid_line_color: line,
    label_text_color: ink,
  };
  for (const model of drawn[name].all) {
    const has = (key) => key in model.properties;
    const changes = Object.fromEntries(Object.entries(wanted).filter(([key]) => has(key)));
    if (model.type === "Figure" || model.type === "Plot") Object.assign(changes, paints);
    if (model.type === "Legend") changes.background_fill_color = paper;
    if (/^(Label|LabelSet|Title)$/.test(model.type)) changes.text_color = ink;
    paint(model, style, changes);
    model.setv(changes);
  }
}

function fill(name, what, columns) {
  if (drawn[name]) named(name, what).data = columns;
}

function ranges(name, x, y) {
  if (!drawn[name]) return;
  const { x_range, y_range } = drawn[name].figure;
  if (x) x_range.setv({ start: x[0], end: x[1] });
  if (y) y_range.setv({ start: y[0], end: y[1] });
}

// Both axes in one unit, so that angles are angles.
function equalRanges(name, [x, y]) {
  if (!drawn[name]) return;
  const { inner_width, inner_height } = drawn[name].figure;
  const unit = Math.max((x[1] - x[0]) / (inner_width || 400), (y[1] - y[0]) / (inner_height || 200));
  const around = ([low, high], size) => [(low + high - unit * size) / 2, (low + high + unit * size) / 2];
  ranges(name, around(x, inner_width || 400), around(y, inner_height || 200));
}

// The band around `center` in logs, a way through it, and where it ends or is now.
function drawPlane(name, center, way, now, reach = 3, across = [-1, 1]) {
  const logs = [...way.map(([, y]) => y), now[1]].filter(Number.isFinite);
  const low = Math.max(-40, Math.min(center - reach, ...logs.map((y) => y - reach / 6)));
  const high = Math.min(40, Math.max(center + reach, ...logs.map((y) => y + reach / 6)));
  const x = Array.from({ length: 401 }, (_, i) => -1 + i / 200);
  const half = x.map((rho) => (rho > 0 ? -Math.log(rho) : Infinity));
  const clip = (y) => Math.min(high, Math.max(low, y));
  fill(name, `${name}.band`, {
    x,
    low: half.map((h) => clip(center - h)),
    high: half.map((h) => clip(center + h)),
    bottom: x.map(() => low),
    top: x.map(() => high),
  });
  const seen = way.filter(([, y]) => Number.isFinite(y));
  fill(name, `${name}.path`, { x: seen.map(([r]) => r), y: seen.map(([, y]) => y) });
  const [before, last] = [seen[Math.max(0, seen.length - 8)], seen[seen.length - 1]];
  const far = seen.length > 1 ? Math.hypot(last[0] - before[0], last[1] - before[1]) : 0;
  fill(name, `${name}.end`, far < 1e-6 ? { x: [], y: [], angle: [] } : {
    x: [last[0]],
    y: [last[1]],
    angle: [Math.atan2((last[1] - before[1]) / (high - low), (last[0] - before[0]) / (across[1] - across[0])) - Math.PI / 2],
  });
  fill(name, `${name}.point`, Number.isFinite(now[1]) ? { x: [now[0]], y: [now[1]] } : { x: [], y: [] });
  ranges(name, across, [low, high]);
  if (!drawn[name]) return;
  const inset = 0.015 * (across[1] - across[0]);
  for (const label of ["both_fall", "both_rise"]) named(name, `${name}.${label}`).x = across[1] - inset;
  named(name, `${name}.ideal`).x = across[0] + inset;
  named(name, `${name}.both_fall`).y = low + (high - low) * 0.02;
  named(name, `${name}.both_rise`).y = high - (high - low) * 0.02;
  const right = across[0] + 0.35 * (across[1] - across[0]); // where the label ends
  const wide = !(right > 0 && center - Math.log(right) < high);
  const ideal = named(name, `${name}.ideal`);
  ideal.setv(wide ? { y: high - (high - low) * 0.02, text_baseline: "top" } : { y: center, text_baseline: "middle" });
}
