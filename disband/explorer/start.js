// Puts the page together, and keeps it, its address and its pictures in step.
"use strict";
const FIGURES = {
  pair: ["plane", "directions", "scores"],
  toys: ["courses", "toyplane", "shares"],
  horizon: ["horizon_w", "horizon_l"],
  tokens: ["heat"],
};

function status(text, code) {
  tell("status", code, `${objective().name}: ${text}`);
  $("status").dataset.case = code ?? "none";
}

function buildControls() {
  for (const group of ["pair", "scores", "path", "horizon", "toy", "single", "edit"]) {
    const own = DATA.controls.filter((one) => one.group === group);
    $(`controls-${group}`).replaceChildren(...own.map((one) =>
      control(one, state.numbers[one.key], (value) => {
        state.numbers[one.key] = value;
        changed();
      })));
  }
  $("controls-hyper").replaceChildren(...objective().parameters.map((one) =>
    control(sliderOf(one), state.hyper[one.name], (value) => {
      state.hyper[one.name] = value;
      changed();
    })));
  showTyped();
  $("objective").value = objective().name;
  $("other").value = state.other < 0 ? "" : DATA.objectives[state.other].name;
  for (const key of Object.keys(MENUS)) if ($(key)) $(key).value = state.menus[key];
  const printed = $(`formulas-${state.objective}`);
  $("formulas").replaceChildren(printed ? printed.content.cloneNode(true) : typedFormulas());
  if (objective().name === TYPED) $("loss-text").value = objective().loss;
  $("source").textContent = objective().source;
  $("note").textContent = objective().note;
}

function showTab() {
  for (const name of TABS) {
    const here = name === state.tab;
    $(`panel-${name}`).hidden = !here;
    $(`tab-${name}`).setAttribute("aria-selected", here);
    $(`tab-${name}`).tabIndex = here ? 0 : -1;
  }
  const trained = ["toys", "horizon"].includes(state.tab);
  $("set-pair").hidden = trained;
  for (const part of ["set-scores", "set-path", "pick-other"]) $(part).hidden = state.tab !== "pair";
  $("set-toys").hidden = !trained;
  $("controls-horizon").hidden = state.tab !== "horizon";
  if (state.tab !== "toys") pause();
}

function show() {
  showTab();
  showPair();
  runAgainIfNeeded();
  showRun();
  showHorizon();
  showTokens();
  showCommand();
}

// Pictures are made when their tab is first seen: a hidden place has no width.
async function changed() {
  keepAddress();
  show();
  const names = FIGURES[state.tab].filter((name) => !drawn[name] && DATA.figures[name]);
  if (!names.length) return;
  await embed(names);
  show();
  document.documentElement.dataset.ready = state.tab;
}

function start() {
  tellFaults(readAddress());
  buildControls();
  startExport();
  startTyped();
  $("objective").addEventListener("change", () => {
    state.objective = place($("objective").value);
    state.hyper = usual(state.objective);
    buildControls();
    changed();
  });
  for (const key of Object.keys(MENUS))
    $(key)?.addEventListener("change", () => {
      state.menus[key] = $(key).value;
      changed();
    });
  TABS.forEach((name, i) => {
    $(`tab-${name}`).addEventListener("click", () => {
      state.tab = name;
      changed();
    });
    $(`tab-${name}`).addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const next = $(`tab-${TABS[(i + by + TABS.length) % TABS.length]}`);
      next.focus();
      next.click();
    });
  });
  $("play").addEventListener("click", play);
  $("step").addEventListener("click", () => { pause(); stepRun(); });
  $("step-10").addEventListener("click", () => { pause(); stepRun(10); });
  $("reset").addEventListener("click", beginRun);
  $("take")?.addEventListener("click", takePair);
  $("defaults").addEventListener("click", () => {
    location.hash = new URLSearchParams({ tab: state.tab, objective: objective().name });
  });
  $("other").addEventListener("change", () => {
    state.other = place($("other").value);
    changed();
  });
  $("preset").addEventListener("change", () => {
    const numbers = DATA.presets[$("preset").value];
    $("preset").value = "";
    if (!numbers) return;
    for (const one of DATA.controls.filter(({ group }) => ["pair", "scores"].includes(group)))
      state.numbers[one.key] = numbers[one.key] ?? one.start;
    buildControls();
    changed();
  });
  addEventListener("hashchange", () => {
    written = true;
    tellFaults(readAddress());
    buildControls();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    Object.keys(drawn).filter((name) => drawn[name]).forEach(dress);
    show();
  });
  changed();
}

start();
