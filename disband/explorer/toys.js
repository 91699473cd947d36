// The toy settings: softmax policies whose logits are rows of parameters plus fixed offsets.
"use strict";
const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (values) => values.reduce((total, v) => total + v, 0);
const NONE = -1;
const STRAY = 0.5; // of the larger change that first order said: a step so far off has left it

// `rows` says which row of theta a context reads, `w` and `l` which token each response emits.
function singleToken({ vocabulary, candidates, hidden_norm }) {
  const within = Math.min(candidates, vocabulary);
  return {
    scale: hidden_norm,
    rows: [0],
    w: [0],
    l: [1],
    offsets: [range(vocabulary).map((v) => (v < within ? 0 : -Infinity))],
    theta: [range(vocabulary).map(() => 0)],
    places: ["at"],
  };
}

function editOne({ vocabulary, prefix, suffix, offset, spread, seed }, shared) {
  const own = prefix + 1 + suffix;
  const contexts = own + suffix;
  const drawn = DATA.normals[seed];
  const start = (row) => range(vocabulary).map((v) => spread * drawn[row * vocabulary + v]);
  const rowOf = (c) => (c < own ? c : c - suffix);
  const all = range(contexts);
  return {
    scale: 1,
    rows: all.map((c) => (shared ? rowOf(c) : c)),
    w: all.map((c) => (c < own ? 0 : NONE)),
    l: all.map((c) => (c === prefix ? 1 : c < prefix || c >= own ? 0 : NONE)),
    offsets: all.map((c) => range(vocabulary).map((v) => (v === 0 && c > prefix && c < own ? offset : 0))),
    theta: range(shared ? own : contexts).map((r) => start(rowOf(r))),
    places: all.map((c) => (c < prefix ? "before" : c === prefix ? "at" : "after")),
  };
}

function problemOf(name, numbers) {
  return name === "single-token" ? singleToken(numbers) : editOne(numbers, name === "edit-one-shared");
}

// Log-probabilities, and both scores: the exact gradients by theta.
function view(problem) {
  const { scale, rows, offsets, theta } = problem;
  const logs = rows.map((row, c) => {
    const logits = theta[row].map((v, k) => scale * v + offsets[c][k]);
    const peak = Math.max(...logits);
    const total = Math.log(sum(logits.map((v) => Math.exp(v - peak))));
    return logits.map((v) => v - peak - total);
  });
  const side = (emitted) => {
    const score = theta.map((row) => row.map(() => 0));
    const tokens = rows.map((row, c) => {
      if (emitted[c] === NONE) return 0;
      logs[c].forEach((log, k) => (score[row][k] += scale * ((k === emitted[c] ? 1 : 0) - Math.exp(log))));
      return logs[c][emitted[c]];
    });
    return { tokens, score, logp: sum(tokens), length: emitted.filter((t) => t !== NONE).length };
  };
  return { logs, chosen: side(problem.w), rejected: side(problem.l) };
}

const dot = (one, other) => sum(one.map((row, r) => sum(row.map((v, k) => v * other[r][k]))));

// A run: its states so far, and the step that leads to the next.
class Run {
  constructor(name, numbers) {
    this.problem = problemOf(name, numbers);
    const first = view(this.problem);
    this.references = [first.chosen.logp, first.rejected.logp, first.chosen.length, first.rejected.length];
    this.states = [];
    this.lost = false;
    this.rate = 1;
    const { d_w, d_l } = incentives(this.data(first));
    const push = Math.max(Math.abs(d_w), Math.abs(d_l));
    const dpo = Object.values(usual(DATA.dpo));
    const asDpo = incentives([-1, -1, -1, -1, 1, 1], DATA.dpo, dpo).d_w;
    // the first step is as long as DPO's at the toy's own rate
    this.rate = numbers.rate * DATA.toys[name].lr * (push > 0 ? asDpo / push : 1);
    this.look(first);
  }

  data({ chosen, rejected }) {
    return [chosen.logp, rejected.logp, ...this.references];
  }

  look(seen) {
    const { chosen, rejected, logs } = seen;
    const now = incentives(this.data(seen));
    const gram = [
      dot(chosen.score, chosen.score), dot(rejected.score, rejected.score), dot(chosen.score, rejected.score),
    ];
    const finite = [chosen.logp, rejected.logp, now.d_w, now.d_l].every(Number.isFinite);
    if (!finite) {
      this.lost = true;
      return;
    }
    const move = chosen.score.map((row, r) =>
      row.map((v, k) => this.rate * (now.d_w * v - now.d_l * rejected.score[r][k])));
    this.move = move;
    this.states.push({
      ...now, gram, chosen: chosen.tokens, rejected: rejected.tokens,
      logp_w: chosen.logp, logp_l: rejected.logp,
      changes: first_order(now.d_w, now.d_l, ...gram).map((v) => this.rate * v),
      ahead: this.ahead(logs, move),
      shares: logs[this.problem.places.indexOf("at")].map(Math.exp),
    });
  }

  // First-order change of each context's token, for chosen and rejected.
  ahead(logs, move) {
    const { scale, rows, w, l } = this.problem;
    const slopes = rows.map((row, c) => {
      const mean = sum(logs[c].map((log, k) => Math.exp(log) * scale * move[row][k]));
      return (token) => (token === NONE ? 0 : scale * move[row][token] - mean);
    });
    return [w, l].map((emitted) => emitted.map((token, c) => slopes[c](token)));
  }

  step() {
    if (this.lost) return;
    this.problem.theta = this.problem.theta.map((row, r) => row.map((v, k) => v + this.move[r][k]));
    this.look(view(this.problem));
  }

  // The first step whose real change is half off what first order said, of either response.
  strayed() {
    for (let t = 0; t + 1 < this.states.length; t++) {
      const [now, next] = [this.states[t], this.states[t + 1]];
      const said = now.changes;
      const came = [next.logp_w - now.logp_w, next.logp_l - now.logp_l];
      const size = Math.max(...said.map(Math.abs));
      const side = came.findIndex((change, i) => Math.abs(change - said[i]) > STRAY * size);
      if (side >= 0) return { step: t + 1, side, said: said[side], came: came[side] };
    }
    return null;
  }

  // Of one side, the change since the start at a place: in truth, and summed to first order.
  at(place, side) {
    const contexts = range(this.problem.places.length).filter((c) => this.problem.places[c] === place);
    const key = ["chosen", "rejected"][side];
    const level = (state) => sum(contexts.map((c) => state[key][c]));
    const exact = this.states.map((state) => level(state) - level(this.states[0]));
    const first = sum(this.states.slice(0, -1).map((state) => sum(contexts.map((c) => state.ahead[side][c]))));
    return { there: contexts.length > 0, exact, first };
  }
}
