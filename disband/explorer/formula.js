// Reads a loss that somebody typed, by the grammar that Python reads losses by, and takes its
// value and slopes. A text becomes a tree, and a tree is walked: nothing typed is run as code.
"use strict";
class FormulaFault extends Error {}
const DEEPEST = 100; // brackets within brackets
const COMPARING = new Set(["<", ">", "<=", ">=", "==", "!=", ","]);
const KEYWORDS = new Set(["and", "or", "not", "if", "else", "in", "is", "lambda", "for", "True", "False", "None"]);

// One part of a text: what it says, from where to where it stands.
class Formula {
  constructor(text) {
    this.text = text;
    if (text.length > GRAMMAR.longest)
      throw new FormulaFault(`a formula has at most ${GRAMMAR.longest} characters: got ${text.length}; shorten it`);
    const strange = [...text].findIndex((c) => !GRAMMAR.characters.includes(c));
    if (strange >= 0) {
      const came = [...text][strange];
      const rule = "a formula is written with letters, digits and . , + - * / ( ) < > = !";
      throw this.fault(strange, rule, came, GRAMMAR.remedies[came] ?? "write it with these");
    }
    if (!text.trim()) throw new FormulaFault("a formula says something: got only blanks; type one");
    this.tokens = this.split();
    this.at = 0;
    this.depth = 0;
    this.parameters = [];
    this.tree = this.sum().node;
    if (this.now) throw this.unexpected();
  }

  fault(column, rule, came, remedy) {
    const shownCame = came.length <= GRAMMAR.window ? came : `${came.slice(0, GRAMMAR.window - 1)}…`;
    const start = Math.max(0, column - GRAMMAR.window);
    const end = column + GRAMMAR.window;
    const around = `${start ? "…" : ""}${this.text.slice(start, column)}▸${this.text.slice(column, end)}${end < this.text.length ? "…" : ""}`;
    const place = `column ${column + 1} of '${around.replace(/[\n\r\t]/g, " ")}'`;
    const found = new FormulaFault(`${rule}: got '${shownCame}' at ${place}; ${remedy}`);
    return Object.assign(found, { column: column + 1, rule });
  }

  refuse({ from, to }, rule, remedy = "write it with the grammar") {
    return this.fault(from, rule, this.text.slice(from, to), remedy);
  }

  split() {
    const found = [];
    const pattern = /\s+|(0[xXoObB]\w+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)|([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/(),<>=!.])/y;
    while (pattern.lastIndex < this.text.length) {
      const from = pattern.lastIndex;
      const match = pattern.exec(this.text);
      if (!match) throw this.fault(from, "this is no formula", this.text[from], "mend it there");
      const kind = match[1] ? "number" : match[2] ? "name" : match[3] ? "sign" : null;
      if (kind) found.push({ kind, text: match[0], from, to: pattern.lastIndex });
    }
    return found;
  }

  get now() {
    return this.tokens[this.at];
  }

  sign(...texts) {
    return this.now?.kind === "sign" && texts.includes(this.now.text) ? this.tokens[this.at++] : null;
  }

  unexpected() {
    const token = this.now;
    const first = this.tokens[0];
    const whole = { from: first.from, to: this.tokens[this.tokens.length - 1].to };
    if (token && (COMPARING.has(token.text) || KEYWORDS.has(token.text)))
      return this.refuse(whole, GRAMMAR.rules.expression, "use only these");
    const at = token ? token.from : this.text.trimEnd().length;
    const before = this.tokens[this.at - 1];
    if (before?.kind === "number" && token?.kind === "name" && before.to === token.from)
      return this.fault(before.from, "this is no formula", before.text[0], "write a product as 2*w");
    const remedy = token?.text === "=" ? "compare with ==" : token?.text === ")" ? "leave it out or open it before" : "mend it there";
    return this.fault(at, "this is no formula", token ? token.text[0] : "the end", remedy);
  }

  // a + b - c: the terms with their signs, for a power or an exponential looks at them alone
  sum() {
    const first = this.product();
    const terms = [[1, first.node]];
    for (let sign; (sign = this.sign("+", "-"));) terms.push([sign.text === "-" ? -1 : 1, this.product().node]);
    return this.joined("sum", first, terms);
  }

  product() {
    const first = this.factor();
    const factors = [[1, first.node]];
    for (let sign; (sign = this.sign("*", "/"));) factors.push([sign.text === "/" ? -1 : 1, this.factor().node]);
    for (const [power, node] of factors) if (power < 0) this.denominator(node);
    return this.joined("product", first, factors);
  }

  joined(kind, first, parts) {
    if (parts.length === 1) return first;
    return { from: first.from, node: this.tame({ kind, parts, from: first.from, to: this.tokens[this.at - 1].to }) };
  }

  denominator(node) {
    if (this.value(node) === 0) throw this.refuse(node, "a denominator is not zero", "write what has a value");
    this.noStep(node);
  }

  factor() {
    const sign = this.sign("+", "-");
    if (!sign) return this.power();
    const { node } = this.factor();
    const minus = sign.text === "-";
    const made = { kind: "sum", parts: [[minus ? -1 : 1, node]], from: sign.from, to: node.to, minus };
    return { from: sign.from, node: this.tame(made) };
  }

  power() {
    const base = this.atom();
    if (!this.sign("**")) return base;
    const { node } = this.factor();
    const sign = node.minus ? -1 : 1;
    const number = node.minus ? node.parts[0][1] : node;
    if (number.kind !== "number" || !/^\d+$/.test(number.text))
      throw this.refuse(node, "an exponent is a whole number", "write x**y as exp(y*log(x))");
    const exponent = sign * Number(number.text);
    if (Math.abs(exponent) > GRAMMAR.exponent) throw this.refuse(node, GRAMMAR.rules.exponent, "take a smaller one");
    if (exponent < 0) this.denominator(base.node);
    if (exponent !== 1) this.noStep(base.node);
    const all = Math.abs(exponent) * (base.node.kind === "power" ? base.node.all : 1);
    const made = { kind: "power", base: base.node, exponent, all, from: base.from, to: node.to };
    if (all > GRAMMAR.exponent && base.node.kind === "power")
      throw this.refuse(made, `${GRAMMAR.rules.exponent}, of powers of powers too`, "take smaller ones");
    return { from: base.from, node: this.tame(made) };
  }

  atom() {
    const token = this.now;
    if (!token) throw this.unexpected();
    if (token.kind === "number") return { from: token.from, node: this.number(token) };
    if (token.kind === "name") return { from: token.from, node: this.name(token) };
    if (!this.sign("(")) throw this.unexpected();
    if (++this.depth > DEEPEST) throw this.fault(token.from, "this is no formula", "(", "use fewer brackets");
    const { node } = this.sum();
    this.close(token);
    this.depth--;
    return { from: token.from, node };
  }

  close(open) {
    if (this.sign(")")) return;
    if (this.now) throw this.unexpected();
    throw this.fault(open.from, "this is no formula", "(", "close the bracket");
  }

  number(token) {
    this.at++;
    const made = { kind: "number", text: token.text, value: Number(token.text), from: token.from, to: token.to };
    if (!/^[\d.eE+-]+$/.test(token.text)) throw this.refuse(made, "a number is a decimal", "write it as 12, 0.5 or 1e-3");
    if (/^0+[1-9]\d*$/.test(token.text)) throw this.fault(token.from, "this is no formula", "0", "leave out the leading zeros");
    if (!/[1-9]/.test(token.text.toLowerCase().split("e")[0])) return { ...made, value: 0 };
    if (!(made.value >= 1 / GRAMMAR.large && made.value <= GRAMMAR.large))
      throw this.refuse(made, GRAMMAR.rules.number, "scale the formula");
    return made;
  }

  name(token) {
    this.at++;
    const { text: name, from, to } = token;
    if (KEYWORDS.has(name)) {
      if (name === "lambda") throw this.fault(from, "this is no formula", name, "lambda is a word of Python's: write lam");
      throw this.refuse(token, GRAMMAR.rules.expression, "use only these");
    }
    const open = this.sign("(");
    if (open) return this.call(token, open);
    if (this.sign(".")) throw this.refuse(token, GRAMMAR.rules.expression, "use only these");
    if (name in GRAMMAR.pair) return { kind: "pair", place: GRAMMAR.pair[name], from, to };
    if (GRAMMAR.functions.includes(name) || GRAMMAR.extremes.includes(name))
      throw this.refuse(token, "a function has its arguments in brackets", `write ${name}(...)`);
    if (GRAMMAR.following.includes(name) || !new RegExp(`^(?:${GRAMMAR.shape})$`).test(name))
      throw this.refuse(token, GRAMMAR.rules.name, GRAMMAR["other names"][name] ?? "use one of these");
    if (!this.parameters.includes(name)) this.parameters.push(name);
    return { kind: "parameter", name, from, to };
  }

  call(token, open) {
    const args = [];
    if (!this.sign(")")) {
      do args.push(this.sum().node); while (this.sign(","));
      if (this.now?.text === "=") throw this.refuse(token, GRAMMAR.rules.expression, "use only these");
      this.close(open);
    }
    const node = { kind: "call", name: token.text, args, from: token.from, to: this.tokens[this.at - 1].to };
    const [one, many] = [GRAMMAR.functions.includes(node.name), GRAMMAR.extremes.includes(node.name)];
    if (!one && !many) {
      const remedy = GRAMMAR["other functions"][node.name] ?? "write a product with *";
      throw this.refuse(node, `a function is one of ${[...GRAMMAR.functions, ...GRAMMAR.extremes].join(", ")}`, remedy);
    }
    if (one ? args.length !== 1 : args.length < 2)
      throw this.refuse(node, `${node.name} is of ${one ? "one argument" : "two or more arguments"}`, `not ${args.length}`);
    if (node.name !== "stop") args.forEach((arg) => this.noStep(arg));
    this.domain(node);
    return this.tame(node);
  }

  // What is known before any number: a logarithm of -1, or exp(1000).
  domain({ name, args, from, to }) {
    const rule = GRAMMAR.domains[name];
    if (rule && wrongFor(name, this.value(args[0]))) throw this.refuse(args[0], rule, "write what has a value");
    if (!GRAMMAR.exponentials.includes(name)) return;
    for (const term of termsOf(args[0])) {
      if (Math.abs(this.value(term)) > Math.log(GRAMMAR.large)) throw this.refuse({ from, to }, GRAMMAR.rules.number, "scale the formula");
      if (hasCall(term, "log") && Math.abs(coefficient(term)) > GRAMMAR.exponent)
        throw this.refuse({ from, to }, GRAMMAR.rules.exponent, "take a smaller one");
    }
  }

  noStep(node) {
    if (!hasCall(node, "step", "stop")) return;
    const whole = { from: this.tokens[0].from, to: this.tokens[this.tokens.length - 1].to };
    throw this.refuse(whole, GRAMMAR.rules.step, "write the cases with relu");
  }

  // The value of a part without names, else NaN.
  value(node) {
    return isConstant(node) ? slopesOf(node, [], {}, []).value : NaN;
  }

  tame(node) {
    if (isConstant(node)) {
      const value = this.value(node);
      if (Number.isNaN(value)) throw this.refuse(node, GRAMMAR.rules.real, "write what has one");
      if (Math.abs(value) > GRAMMAR.large) throw this.refuse(node, GRAMMAR.rules.number, "scale the formula");
    }
    if (node.kind === "product" && Math.abs(coefficient(node)) > GRAMMAR.large)
      throw this.refuse(node, GRAMMAR.rules.number, "scale the formula");
    return node;
  }
}

const partsOf = (node) =>
  node.parts ? node.parts.map(([, part]) => part) : node.args ?? (node.base ? [node.base] : []);
const isConstant = (node) => !["pair", "parameter"].includes(node.kind) && partsOf(node).every(isConstant);
const hasCall = (node, name, but = null) =>
  node.kind === "call" && node.name === but ? false : node.name === name || partsOf(node).some((part) => hasCall(part, name, but));
const termsOf = (node) => (node.kind === "sum" ? node.parts.flatMap(([, part]) => termsOf(part)) : [node]);
const wrongFor = (name, x) => (name === "sqrt" ? x < 0 : name === "log" ? x <= 0 : name === "logodds" ? x >= 0 : false);

function coefficient(node) {
  if (isConstant(node)) return slopesOf(node, [], {}, []).value;
  if (node.kind !== "product") return 1;
  return node.parts.reduce((all, [power, part]) => all * coefficient(part) ** power, 1);
}

// Value and slopes by log π_w and log π_l at once. `kinks` hears of what is zero at a kink.
const known = (value, w = 0, l = 0) => ({ value, w, l });
const chain = (x, value, slope) => known(value, x.w && slope * x.w, x.l && slope * x.l);
const plus = (x, y, sign) => known(x.value + sign * y.value, x.w + sign * y.w, x.l + sign * y.l);
const times = (x, y) => known(x.value * y.value, x.w * y.value + x.value * y.w, x.l * y.value + x.value * y.l);
const over = (x, y) => times(x, chain(y, 1 / y.value, -1 / (y.value * y.value)));

const SLOPES = {
  exp: (x) => chain(x, Math.exp(x.value), Math.exp(x.value)),
  log: (x) => chain(x, Math.log(x.value), 1 / x.value),
  sqrt: (x) => chain(x, Math.sqrt(x.value), 0.5 / Math.sqrt(x.value)),
  sigmoid: (x) => chain(x, sigmoid(x.value), sigmoid(x.value) * sigmoid(-x.value)),
  logsigmoid: (x) => chain(x, logsigmoid(x.value), sigmoid(-x.value)),
  expm1: (x) => chain(x, expm1(x.value), Math.exp(x.value)),
  logodds: (x) => chain(x, logodds(x.value), -1 / expm1(x.value)),
  linlog: (x) => chain(x, linlog(x.value), 1 / Math.max(x.value, GRAMMAR.tangent)),
  relu: (x) => chain(x, relu(x.value), step(x.value)),
  abs: (x) => chain(x, Math.abs(x.value), Math.sign(x.value)),
  step: (x) => known(step(x.value)),
  stop: (x) => known(x.value),
};
// At a tie the slope of the last, as sums of hinges have it.
const larger = (sign) => (one, other) => (sign * (one.value - other.value) > 0 ? one : other);

function slopesOf(node, pair, parameters, kinks) {
  const of = (part) => slopesOf(part, pair, parameters, kinks);
  switch (node.kind) {
    case "number":
      return known(node.value);
    case "parameter":
      return known(parameters[node.name]);
    case "pair":
      return known(pair[node.place], node.place === 0 ? 1 : 0, node.place === 1 ? 1 : 0);
    case "sum":
      return node.parts.reduce((all, [sign, part]) => plus(all, of(part), sign), known(0));
    case "product":
      return node.parts.reduce((all, [power, part]) => (power > 0 ? times : over)(all, of(part)), known(1));
    case "power": {
      const x = of(node.base);
      const n = node.exponent;
      return n === 0 ? known(1) : chain(x, x.value ** n, n * x.value ** (n - 1));
    }
    default: {
      const args = node.args.map(of);
      if (["relu", "abs", "step"].includes(node.name)) kinks.push(args[0].value);
      if (args.length === 1) return SLOPES[node.name](args[0]);
      args.slice(1).forEach((arg, i) => kinks.push(args[i].value - arg.value));
      return args.reduce(larger(node.name === "max" ? 1 : -1));
    }
  }
}
