"use strict";
// Headings sort their table; rows without a value stay last.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("thead th")];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending" ||
      (head.getAttribute("aria-sort") === null && head.classList.contains("number"));
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => {
      const cell = row.cells[column], number = cell.dataset.key;
      return number === undefined ? cell.textContent : Number(number);
    };
    const missing = row => row.cells[column].firstChild?.textContent === "–";
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      if (missing(a) !== missing(b)) return missing(a) ? 1 : -1;
      const one = key(a), two = key(b);
      const order = typeof one === "number" && typeof two === "number" ? one - two : String(one).localeCompare(String(two));
      return down ? -order : order;
    });
    const shown = [...table.tBodies[0].rows].filter(row => !row.classList.contains("more")).length;
    rows.forEach((row, place) => { row.classList.toggle("more", place >= shown); table.tBodies[0].append(row); });
  }));
}
