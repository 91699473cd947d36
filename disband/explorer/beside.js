// A second objective beside the first, on the same pair, with its own defaults.
"use strict";
function showBeside(pair, gram) {
  const none = state.other < 0 || !pair;
  $("beside").hidden = none;
  fill("plane", "plane.other", { x: [], y: [] });
  if (none) return;
  const values = Object.values(usual(state.other));
  const both = [
    [objective().name, standing(pair, gram)],
    [DATA.objectives[state.other].name, standing(pair, gram, state.other, values)],
  ];
  $("beside-names").replaceChildren(...["", ...both.map(([name]) => name)].map((name) => {
    const head = document.createElement(name ? "th" : "td");
    if (name) head.scope = "col";
    head.textContent = name;
    return head;
  }));
  const scale = (now) => Math.max(Math.abs(now.d_w), Math.abs(now.d_l)) * Math.max(gram[0], gram[1]);
  const lines = {
    "d_w": ([, now]) => shown(now.d_w),
    "d_l": ([, now]) => shown(now.d_l),
    "ratio": ([, now]) => ratioWords(now),
    "chosen": ([, now]) => wayWords(now.changes[0], scale(now)),
    "rejected": ([, now]) => wayWords(now.changes[1], scale(now)),
    "δ": ([, now]) => (Number.isNaN(now.delta) ? "–" : shown(now.delta)),
    "case": ([, now]) => caseWords(now),
  };
  $("beside-rows").replaceChildren(...Object.entries(lines).map(([word, told]) => {
    const row = document.createElement("tr");
    const head = row.appendChild(document.createElement("th"));
    head.scope = "row";
    head.textContent = word;
    for (const one of both) row.appendChild(document.createElement("td")).textContent = told(one);
    return row;
  }));
  const other = both[1][1];
  fill("plane", "plane.other", Number.isFinite(other.log)
    ? { x: [state.numbers.cosine], y: [other.log] } : { x: [], y: [] });
}
