// The third tab: the token scores of a real pair.
"use strict";
function tokenProducts() {
  const { tokens } = DATA;
  return tokens.products[tokens.when.indexOf(state.menus.when)][Number(state.menus.example)];
}

// The pair's Gram is the sum of its tokens'.
function tokenGram(products, length) {
  const total = (rows, columns) => sum(rows.map((i) => sum(columns.map((j) => products[i][j]))));
  const chosen = range(length);
  const rejected = range(products.length - length).map((j) => j + length);
  return { chosen, rejected, gram: [total(chosen, chosen), total(rejected, rejected), total(chosen, rejected)] };
}

function showTokens() {
  if (!DATA.tokens) return;
  const products = tokenProducts();
  const { chosen, rejected, gram } = tokenGram(products, DATA.tokens.chosen.length);
  const [A, B, X] = gram;
  const [cosine, ratio] = [X / (Math.sqrt(A) * Math.sqrt(B)), Math.sqrt(B / A)];
  const now = standing(pairNow(), gram);
  const wrong = trouble(pairNow(), now);
  tell("pair-cosine", cosine);
  tell("pair-norm_ratio", ratio);
  tell("pair-band", now.low, bandWords(now, ratio));
  tell("pair-case", wrong ? null : now.case, wrong || caseWords(now));
  $("pair-incentives").textContent = wrong ? "no incentives" :
    `d_w = ${shown(now.d_w)} and d_l = ${shown(now.d_l)} of ${objective().name}, at the margin and lengths of the first tab`;
  if (state.tab === "tokens") status(wrong ? "no pair" : caseWords(now), wrong ? null : now.case);
  const over = (i, columns) => sum(columns.map((j) => products[i][j]));
  const change = (i) => {
    const [own_w, own_l] = [over(i, chosen), over(i, rejected)];
    return i < chosen.length
      ? first_order(now.d_w, now.d_l, own_w, 0, own_l)[0]
      : first_order(now.d_w, now.d_l, 0, own_l, own_w)[1];
  };
  const moved = range(products.length).map((i) => (wrong ? NaN : change(i)));
  const most = Math.max(...moved.filter(Number.isFinite).map(Math.abs)) || 1;
  strip("strip-w", DATA.tokens.chosen, chosen.map((i) => moved[i]), most);
  strip("strip-l", DATA.tokens.rejected, rejected.map((j) => moved[j]), most);
  drawHeat(products, chosen, rejected);
}

function strip(id, words, changes, most) {
  $(id).replaceChildren(...words.map((word, i) => {
    const token = document.createElement("span");
    const way = changes[i] > 0 ? "up" : changes[i] < 0 ? "down" : "";
    token.className = `token ${way}`;
    token.style.setProperty("--much", `${Math.round((70 * Math.abs(changes[i])) / most) || 0}%`);
    token.dataset.value = changes[i];
    const text = token.appendChild(document.createElement("b"));
    text.textContent = word;
    const said = token.appendChild(document.createElement("small"));
    said.textContent = `${{ up: "↑", down: "↓", "": "" }[way]} ${shown(changes[i])}`;
    return token;
  }));
}

function drawHeat(products, chosen, rejected) {
  const cells = { row: [], column: [], cosine: [], text: [], ink: [], chosen: [], rejected: [] };
  for (const i of chosen)
    for (const j of rejected) {
      const norms = Math.sqrt(products[i][i]) * Math.sqrt(products[j][j]);
      const cosine = norms > 0 ? products[i][j] / norms : NaN;
      cells.row.push(i);
      cells.column.push(j - chosen.length);
      cells.cosine.push(cosine);
      cells.text.push(Number.isNaN(cosine) ? "×" : minus(cosine.toFixed(2)).replace(/^−0\.00$/, "0.00"));
      cells.ink.push(Math.abs(cosine) > 0.72 ? "white" : "black");
      cells.chosen.push(DATA.tokens.chosen[i]);
      cells.rejected.push(DATA.tokens.rejected[j - chosen.length]);
    }
  fill("heat", "heat.cells", cells);
}

function takePair() {
  const { gram: [A, B, X] } = tokenGram(tokenProducts(), DATA.tokens.chosen.length);
  state.numbers.cosine = X / (Math.sqrt(A) * Math.sqrt(B));
  state.numbers.norm_ratio = Math.sqrt(B / A);
  state.tab = "pair";
  buildControls();
  changed();
  $("tab-pair").focus();
}
