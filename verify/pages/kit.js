// What every page does: tables that sort, and a closed part that opens when an address leads into it.
"use strict";
const addressed = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)).split("?");
  } catch {
    return [""]; // no address of this page
  }
};
{
  // A block of its own: names in it are no names of a page's other scripts.
  for (const table of document.querySelectorAll("table.sorts")) {
    const body = table.tBodies[0];
    const key = (row, column) => {
      const cell = row.cells[column];
      const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
      const number = Number(text.replace("−", "-").replace(/^\+/, ""));
      return text === "" || text === "–" || text === "·" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
    };
    const order = (one, other) => (typeof one === typeof other ? (one < other ? -1 : one > other ? 1 : 0) : typeof one === "number" ? -1 : 1);
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = [...body.rows].map((row) => [key(row, column), row]);
        // What has no value stays last whichever way it is sorted.
        keyed.sort(([one], [other]) => (one === null || other === null ? (one === null) - (other === null) : (down ? -1 : 1) * order(one, other)));
        body.append(...keyed.map(([, row]) => row));
      });
    });
  }
  const lead = () => {
    const [name] = addressed();
    const place = name && document.getElementById(name);
    if (!place) return;
    for (let part = place; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    place.scrollIntoView();
  };
  addEventListener("hashchange", lead);
  addEventListener("DOMContentLoaded", lead);
  // Paper cannot be opened: what is grouped is printed, and closed again.
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const group of document.querySelectorAll("details.group:not([open])")) opened.push(group), (group.open = true);
  });
  addEventListener("afterprint", () => {
    for (const group of opened.splice(0)) group.open = false;
  });
  // The way past the navigation leaves the address alone, which a page may use for what is set in it.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
}
