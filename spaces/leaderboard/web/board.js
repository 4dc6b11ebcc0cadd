"use strict";
// Filters, profiles and comparisons; names come from data and are set as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filters"), told = document.getElementById("told");
const dialog = document.getElementById("profile"), rows = [...document.querySelectorAll("tr[data-entry]")];
const chosen = [];

const make = (name, content, attributes = {}) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...[content].flat().filter(one => one !== null && one !== undefined));
  return node;
};
const digits = number => number === null || number === undefined ? "–" : number.toFixed(3).replace("-", "−");
const shown = one => !one || one[0] === null ? "–" :
  digits(one[0]) + (one[1] === null ? "" : ` [${digits(one[1])}, ${digits(one[2])}]`);
const link = ([text, url]) => url ? make("a", text, { href: url, rel: "noreferrer" }) : text;
const table = (columns, body) => make("div", make("table", [
  make("thead", make("tr", columns.map(name => make("th", name, { scope: "col", class: "plain" })))),
  make("tbody", body.map(([head, ...cells]) =>
    make("tr", [make("th", head, { scope: "row" }), ...cells.map(cell => make("td", cell, { class: "number" }))]))),
]), { class: "scroll", tabindex: "0", role: "region", "aria-label": columns.join(", ") });

// -- filters ---------------------------------------------------------------------------------------

function filter() {
  const given = new FormData(form), text = given.get("text").trim().toLowerCase();
  const kinds = new Set(given.getAll("kind")), protocol = given.get("protocol"), share = Number(given.get("share"));
  const seen = new Set();
  for (const row of rows) {
    const fits = kinds.has(row.dataset.kind) && (protocol === "*" || row.dataset.protocol === protocol) &&
      Number(row.dataset.share) >= share && row.cells[0].textContent.toLowerCase().includes(text);
    row.hidden = !fits;
    if (fits) seen.add(row.dataset.entry);
  }
  const all = new Set(rows.map(row => row.dataset.entry)).size;
  told.textContent = seen.size === all ? "" : `${seen.size} of ${all} entries are shown; places are those among all.`;
}

// -- profiles --------------------------------------------------------------------------------------

function facts(one) {
  const pairs = [
    ["Kind", `${one.kind} · ${one.group}`], ["Protocol", one.protocol ?? "none"], ["Dataset", one.dataset],
    ["Items", `${one.items[0].toLocaleString("en")} of ${one.items[1].toLocaleString("en")}, set ${one.set}`],
    ["Ratings", link(one.ratings)], ["Entry", link(one.file)],
    ["Intervals", `${one.settings.bootstrap} resamples, ${one.settings.confidence * 100} %, seed ${one.settings.seed}`],
    ["Computed by", one.versions.join(", ")],
  ];
  if (one.run) {
    const lost = one.run.failures.map(failure => `${failure.failure} ${failure.count}`).join(", ");
    pairs.push(["Run", [one.run.type, one.run.model, one.run.revision, `protocol ${one.run.protocol.name} ${one.run.protocol.version}`,
      `${one.run.parsed} of ${one.run.asked} answers could be read`, lost,
      one.run.cost === undefined ? null : `cost ${one.run.cost}`].filter(Boolean).join(" · ")]);
  }
  const list = make("dl", pairs.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  return make("div", [make("h3", one.name), list]);
}

function totals(shownOf) {
  const ids = Object.keys(data.measures).filter(id => shownOf.some(one => one.totals[id]));
  const cells = ids.map(id => [`${data.measures[id].name} (${data.measures[id].about})`,
    ...shownOf.map(one => shown(one.totals[id])), ...difference(shownOf.map(one => one.totals[id]))]);
  return table(["Measure", ...names(shownOf)], cells);
}

const names = shownOf => shownOf.length > 1 ? [...shownOf.map(one => one.name), "Difference"] :
  ["Value"];
const difference = numbers => numbers.length < 2 ? [] :
  [numbers.every(one => one && one[0] !== null) ? digits(numbers[0][0] - numbers[1][0]) : "–"];

function parts(shownOf) {
  const found = [];
  for (const [id, divisions] of Object.entries(data.parts)) {
    for (const [by, labels] of Object.entries(divisions)) {
      const values = shownOf.map(one => one.parts[id]?.[by]);
      if (!values.some(of => of?.some(Boolean))) continue;
      const at = labels.map((_, index) => index).filter(index => values.some(of => of?.[index]));
      if (by !== "group") at.sort((a, b) => (values[0]?.[b]?.[0] ?? -Infinity) - (values[0]?.[a]?.[0] ?? -Infinity));
      const name = label => by === "emoji" ? `${emoji(label)} ${label}` : label.replace(".", ": ");
      found.push(make("h3", `${data.measures[id].name} by ${by}`),
        table([by[0].toUpperCase() + by.slice(1), ...names(shownOf), "Items"], at.map(index => [name(labels[index]),
          ...values.map(of => shown(of?.[index])), ...difference(values.map(of => of?.[index])),
          [...new Set(values.map(of => of?.[index]?.[3] ?? "–"))].join(" · ")])));
      if (by === "group") found.push(gaps(labels, values, shownOf));
    }
  }
  return found;
}

function gaps(labels, values, shownOf) {
  const attributes = [...new Set(labels.map(label => label.split(".")[0]))];
  const gap = (of, attribute) => {
    const numbers = labels.flatMap((label, at) => label.split(".")[0] === attribute && of?.[at]?.[0] != null ? [of[at][0]] : []);
    return numbers.length > 1 ? digits(Math.max(...numbers) - Math.min(...numbers)) : "–";
  };
  return table(["Largest gap between groups", ...shownOf.map(one => one.name)],
    attributes.map(attribute => [attribute, ...values.map(of => gap(of, attribute))]));
}

const emoji = code => /^[0-9a-f]{4,6}$/i.test(code) ? String.fromCodePoint(parseInt(code, 16)) : "";

function open(numbers) {
  const shownOf = numbers.map(number => data.entries[number]);
  document.getElementById("profile-title").textContent = shownOf.map(one => one.name).join(" and ");
  const same = new Set(shownOf.map(one => one.set)).size === 1;
  const note = same ? null : make("p", "They rated different items, so a difference may be one between the items.", { class: "notice" });
  document.getElementById("profile-body").replaceChildren(
    ...[note, totals(shownOf), make("div", shownOf.map(facts), { class: "pair" }), ...parts(shownOf)].filter(Boolean));
  dialog.showModal();
  dialog.scrollTop = 0;
}

function choose(number, on) {
  if (on) chosen.push(number);
  else chosen.splice(chosen.indexOf(number), 1);
  if (chosen.length > 2) chosen.shift();
  for (const box of document.querySelectorAll("input.pick")) box.checked = chosen.includes(Number(box.value));
  const button = document.getElementById("compare");
  const fits = chosen.length === 2 && data.entries[chosen[0]].key === data.entries[chosen[1]].key;
  button.disabled = !fits;
  button.textContent = chosen.length < 2 ? "Compare two" : fits ? "Compare" : "Of different datasets";
}

for (const row of rows) {
  const number = Number(row.dataset.entry), head = row.cells[0], name = head.textContent;
  const box = make("input", [], { type: "checkbox", class: "pick", value: number, "aria-label": `Compare ${name}` });
  box.addEventListener("change", () => choose(number, box.checked));
  const button = make("button", name, { type: "button", class: "rater" });
  button.addEventListener("click", () => open([number]));
  head.replaceChildren(make("label", box), button);
}
form?.addEventListener("input", filter);
form?.addEventListener("submit", event => event.preventDefault());
document.getElementById("compare")?.addEventListener("click", () => open(chosen));
document.getElementById("close").addEventListener("click", () => dialog.close());
if (form) filter();
