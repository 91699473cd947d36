// A loss that is typed in the page: an objective like those of the catalogue, of its own text.
"use strict";
const TYPED = "typed here";
// Pairs that a new loss is tried on: log π_w, log π_l, both references, both lengths.
const TRIALS = [
  [-10, -12, -11, -11.5, 10, 12], [-31, -8, -29, -9.5, 25, 7], [-3, -4.5, -4, -3.5, 4, 5],
  [-0.4, -0.2, -0.7, -0.1, 1, 1], [-90, -200, -120, -60, 60, 90], [-7, -7.5, -2, -30, 3, 40],
];

function typedObjective(text) {
  const read = new Formula(text);
  const usualOf = Object.fromEntries(DATA.objectives.flatMap((one) => one.parameters.map((p) => [p.name, p.start])));
  const parameters = read.parameters.map((name) => {
    const range = GRAMMAR.known[name] ?? { sign: "real", below: null };
    return { name, label: name, start: usualOf[name] ?? (range.below == null ? 1 : range.below / 2), ...range };
  });
  const starts = Object.fromEntries(parameters.map((one) => [one.name, one.start]));
  requireValues(read, starts);
  const found = TRIALS.map((pair) => slopesOf(read.tree, pair, starts, []));
  if (found.every(({ w, l }) => w === 0 && l === 0))
    throw read.refuse(read.tree, GRAMMAR.rules.moves, "bring them in, in more than jumps and stops");
  const take = (numbers) => [numbers.slice(0, 6), Object.fromEntries(parameters.map((one, i) => [one.name, numbers[6 + i]]))];
  return {
    record: { name: TYPED, source: "typed in this page", note: "", loss: text, parameters },
    incentives: (...numbers) => {
      const { value, w, l } = slopesOf(read.tree, ...take(numbers), []);
      return [value, -w, l];
    },
    kinks: (...numbers) => {
      const kinks = [];
      slopesOf(read.tree, ...take(numbers), kinks);
      return kinks;
    },
  };
}

// A denominator that is zero, or a logarithm of what is not positive, at every pair that is tried.
function requireValues(read, starts) {
  const everywhere = (node, wrong) => TRIALS.every((pair) => wrong(slopesOf(node, pair, starts, []).value));
  const look = (node) => {
    const below = node.kind === "product" ? node.parts.filter(([power]) => power < 0).map(([, part]) => part)
      : node.kind === "power" && node.exponent < 0 ? [node.base] : [];
    for (const part of below)
      if (everywhere(part, (v) => v === 0)) throw read.refuse(part, "a denominator is not zero", "write what has a value");
    if (node.name in GRAMMAR.domains && everywhere(node.args[0], (v) => wrongFor(node.name, v)))
      throw read.refuse(node.args[0], GRAMMAR.domains[node.name], "write what has a value");
    partsOf(node).forEach(look);
  };
  look(read.tree);
}

function takeLoss(text) {
  const made = typedObjective(text);
  const at = place(TYPED) < 0 ? DATA.objectives.length : place(TYPED);
  DATA.objectives[at] = made.record;
  INCENTIVES[at] = made.incentives;
  KINKS[at] = made.kinks;
  return at;
}

// The menus know of it once there is one.
function showTyped() {
  for (const menu of ["objective", "other"])
    if (place(TYPED) >= 0 && ![...$(menu).options].some((one) => one.value === TYPED)) {
      const option = document.createElement("option");
      option.textContent = TYPED;
      $(menu).append(option);
    }
}

function startTyped() {
  const take = () => {
    let fault = "";
    try {
      state.objective = takeLoss($("loss-text").value.trim());
      state.hyper = usual(state.objective);
      buildControls();
      changed();
    } catch (error) {
      if (!(error instanceof FormulaFault)) throw error;
      fault = error.message;
    }
    $("loss-fault").hidden = !fault;
    $("loss-fault").textContent = fault;
    $("loss-text").setAttribute("aria-invalid", Boolean(fault));
  };
  $("loss-take").addEventListener("click", take);
  $("loss-text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    take();
  });
}

// What stands below for an objective that no formulas were printed of.
function typedFormulas() {
  const said = document.createElement("p");
  said.append("The loss as it was typed, differentiated here step by step. Its formulas: ");
  said.appendChild(document.createElement("code")).textContent =
    `disband derive --loss ${quoted(objective().loss)}${settings(Object.entries(state.hyper))}`;
  return said;
}
