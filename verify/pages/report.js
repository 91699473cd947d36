// The report: bodies built when they are opened, search kept in the address, copies, the band at the reader's numbers.
const facts = JSON.parse(document.getElementById("facts").textContent);
const unpack = () => {
  const packed = Uint8Array.from(atob(document.getElementById("bodies").textContent.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).json();
};
let unpacked;
const bodies = () => (unpacked ??= unpack());
const build = async (entry) => {
  if (entry.querySelector(".body")) return;
  const body = document.createElement("div");
  body.className = "body";
  entry.append(body);
  body.innerHTML = (await bodies())[entry.dataset.of].html;
  body.dispatchEvent(new Event("built", { bubbles: true }));
};
document.addEventListener("toggle", (event) => event.target.matches?.(".entry") && event.target.open && build(event.target), true);
for (const entry of document.querySelectorAll(".entry[open]")) build(entry);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const { of } = button.closest(".entry").dataset;
  const text = { id: of, latex: (await bodies())[of].latex, bibtex: facts.cite[button.dataset.paper] }[button.dataset.copy];
  const said = button.parentNode.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "copied";
  } catch {
    // Some browsers keep the clipboard from pages of a file: show the text, selected.
    const area = Object.assign(document.createElement("textarea"), { value: text, rows: 6, readOnly: true, style: "width:100%" });
    said.replaceChildren("copy it from here:", area);
    area.select();
  }
});

const form = document.getElementById("filter");
if (form) {
  const entries = [...document.querySelectorAll("#ledger .entry")];
  const texts = new Map(entries.map((entry) => [entry, entry.textContent.toLowerCase()]));
  let whole = false;
  const apply = async () => {
    const { q, verdict, paper } = form.elements;
    const asked = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (asked.length && !whole) {
      whole = true;
      const all = await bodies();
      for (const [entry, text] of texts) texts.set(entry, `${text} ${all[entry.dataset.of].words}`);
    }
    let left = 0;
    for (const entry of entries) {
      const { dataset } = entry;
      const shown = (!verdict.value || dataset.verdict === verdict.value) && (!paper.value || dataset.paper === paper.value) && asked.every((word) => texts.get(entry).includes(word));
      entry.hidden = !shown;
      left += shown;
    }
    const narrowed = asked.length || verdict.value || paper.value;
    for (const group of document.querySelectorAll("#ledger > .group")) {
      group.hidden = !group.querySelector(".entry:not([hidden])");
      if (narrowed) group.open = true;
    }
    form.querySelector("output").textContent = `${left} of ${entries.length} claims`;
  };
  const keep = () => {
    const chosen = [...new FormData(form)].filter(([, value]) => value);
    history.replaceState(null, "", `#claims${chosen.length ? `?${new URLSearchParams(chosen)}` : ""}`);
    apply();
  };
  const read = () => {
    const [name, asked] = addressed();
    if (name === "claims" && asked) {
      const wanted = new URLSearchParams(asked);
      for (const part of form.elements) if (part.name) part.value = wanted.get(part.name) ?? "";
      apply();
    } else if (name.startsWith("claim-") && document.getElementById(name)?.hidden) {
      form.reset();
      apply();
      document.getElementById(name).scrollIntoView();
    }
  };
  form.hidden = false;
  form.addEventListener("input", keep);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(keep));
  addEventListener("hashchange", read);
  apply().then(read);
}

const pair = document.getElementById("pair");
const SHOWN = (value) => Number(value.toPrecision(3)).toString().replace("-", "−");
const words = (change_w, change_l) => {
  const near = 1e-12;
  if (Math.abs(change_w) <= near && Math.abs(change_l) <= near) return "nothing moves";
  const falls = change_w < -near, rises = change_l > near;
  return facts.cases[falls ? (rises ? 3 : 1) : rises ? 2 : 0];
};
const place = () => {
  const { cosine, ratio, objective, state } = pair.elements;
  const said = document.getElementById("said"), box = document.getElementById("place");
  const rho = cosine.valueAsNumber, star = ratio.valueAsNumber;
  if (!(rho >= -1 && rho <= 1 && star > 0)) {
    box.hidden = true;
    said.textContent = "A cosine lies between −1 and 1, and a ratio of lengths is positive.";
    return;
  }
  const gram = gram_of_angle(rho, star);
  for (const cell of document.querySelectorAll("[data-at]")) {
    const [d_w, d_l] = facts.at[cell.dataset.at][state.value];
    cell.textContent = words(...first_order(d_w, d_l, ...gram));
  }
  const [d_w, d_l] = facts.at[objective.value]?.[state.value] ?? [1, 1];
  const happens = words(...first_order(d_w, d_l, ...gram));
  const positive = d_w > 0 && d_l > 0;
  const [low, high] = rho > 0 ? band_edges(...gram) : [0, Infinity];
  const r = d_w / d_l;
  const where = !positive ? "an incentive is not positive, so that the band does not apply" : r < low ? `below the band, ${SHOWN(low / r)} times too small` : r > high ? `above the band, ${SHOWN(r / high)} times too large` : "inside the band";
  const cure = positive && (r < low || r > high) ? ` Calibration by δ = ${SHOWN(calibration(d_w, d_l, gram[0], gram[1]))} would centre it.` : "";
  said.textContent = `${objective.value || "Equal incentives"}: ${happens}. r = ${Number.isFinite(r) ? SHOWN(r) : "without a value"} is ${where}${rho > 0 ? ` (${SHOWN(low)} to ${SHOWN(high)}, centre ${SHOWN(star)})` : " (every positive ratio is good: the angle is not acute)"}.${cure}`;
  box.hidden = !(rho > 0 && positive);
  if (box.hidden) return;
  const far = Math.max(1.2, Math.abs(Math.log(r / star)) * 1.15, -Math.log(rho) * 1.4);
  const at = (value) => 50 + (50 * Math.max(-far, Math.min(far, Math.log(value / star)))) / far;
  const picture = box.firstElementChild;
  const made = (name, values, text) => {
    const part = document.createElementNS(picture.namespaceURI, name);
    for (const [key, value] of Object.entries(values)) part.setAttribute(key, value);
    if (text) part.textContent = text;
    return part;
  };
  const inside = r >= low && r <= high;
  const wide = box.clientWidth;
  const x = (value) => (at(value) / 100) * wide;
  picture.setAttribute("viewBox", `0 0 ${wide} 64`);
  const label = (value, text, y) => made("text", { x: Math.max(30, Math.min(wide - 30, x(value))), y, "text-anchor": "middle" }, text);
  picture.replaceChildren(
    made("line", { x1: 0, x2: wide, y1: 32, y2: 32 }),
    made("rect", { class: "in", x: x(low), width: Math.max(2, x(high) - x(low)), y: 20, height: 24, rx: 3 }),
    made("line", { x1: x(star), x2: x(star), y1: 20, y2: 44 }),
    made("circle", { class: inside ? "good" : "here", cx: x(r), cy: 32, r: 7 }),
    label(star, `r* = ${SHOWN(star)}`, 60),
    label(r, `r = ${SHOWN(r)}`, 13),
    made("text", { x: 0, y: 60 }, "both fall"),
    made("text", { x: wide, y: 60, "text-anchor": "end" }, "both rise"),
  );
};
pair.addEventListener("input", place);
pair.addEventListener("submit", (event) => event.preventDefault());
addEventListener("resize", place);
place();
