"use strict";

const $ = id => document.getElementById(id);
const key = `${document.documentElement.dataset.study}/owner`;
if (location.hash.startsWith("#token=")) {
  try { sessionStorage.setItem(key, location.hash.slice(7)); } catch { /* for this load only */ }
  window.ownerToken = location.hash.slice(7);
  history.replaceState(null, "", location.pathname);
}
let token = window.ownerToken ?? "";
try { token = token || sessionStorage.getItem(key) || ""; } catch { /* no storage */ }

async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json", "X-From": "page", "X-Token": token };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, reply: await response.json() };
}

function say(text, isProblem = false) {
  $("state").textContent = text;
  $("state").classList.toggle("problem", isProblem);
}

function card(title, value) {
  const box = document.createElement("div"), strong = document.createElement("strong");
  strong.textContent = value;
  box.append(strong, title);
  return box;
}

const number = value => value === null ? "–" : value.toFixed(3).replace("-", "−");
const of = ([some, all]) => all ? `${some} of ${all}` : "–";

function row(one) {
  const tr = document.createElement("tr");
  const cells = [one.annotator, [one.name, one.prolific].filter(Boolean).join(" · ") || "–", one.answers, one.seconds,
    number(one.kappa), of(one.repeats), of(one.checks), one.flags.join(", ") || "–"];
  cells.forEach((value, place) => {
    const cell = document.createElement(place ? "td" : "th");
    if (!place) cell.scope = "row";
    cell.textContent = value;
    if (place >= 2 && place <= 6) cell.className = "number";
    if (place === 7 && one.flags.length) cell.className = "flagged";
    tr.append(cell);
  });
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Delete";
  button.setAttribute("aria-label", `Delete the data of ${one.annotator}`);
  button.addEventListener("click", () => remove(one));
  const last = document.createElement("td");
  last.append(button);
  tr.append(last);
  return tr;
}

function line(values, tag) {
  const tr = document.createElement("tr");
  values.forEach((value, place) => {
    const cell = document.createElement(place ? tag : "th");
    cell.scope = tag === "th" ? "col" : "row";
    if (place) cell.className = "number";
    cell.textContent = value;
    tr.append(cell);
  });
  return tr;
}

async function remove(one) {
  if (!confirm(`Delete all ${one.answers} answers of ${one.annotator} for good, and what is known about this person?`)) return;
  const { status, reply } = await post("api/delete", { annotator: one.annotator });
  if (status !== 200) return say(reply.error, true);
  await load();
  say(`${one.annotator}: ${reply.answers} answers are deleted.`);
}

async function load() {
  let result = null;
  try { result = await post("api/owner"); } catch { return say("The server does not answer. Try again.", true); }
  if (result.status !== 200) return say(result.reply.error, true);
  const { steps, items, each_item, agreement, annotators, deleted } = result.reply;
  $("steps").replaceChildren(...steps.map(one =>
    card(steps.length > 1 ? `answers, step ${one.step}` : "answers", `${one.answers} of ${one.places}`)));
  $("items").textContent = "Items by number of answers: " +
    Object.entries(items).map(([answers, n]) => `${n} with ${answers}`).join(", ") + ".";
  $("item-steps").replaceChildren(line(["Item", ...steps.map(one => `Step ${one.step}`)], "th"));
  $("each-item").replaceChildren(...each_item.map(cells => line(cells, "td")));
  $("agreement").replaceChildren(card("mean κ of pairs, quadratic weights", number(agreement.kappa)),
    card("Krippendorff's α, interval", number(agreement.alpha)), card("items that several answered", agreement.common));
  $("annotators").replaceChildren(...annotators.map(row));
  $("deleted").textContent = deleted ? `The data of ${deleted} annotators were deleted on request.` : "";
  $("main").hidden = false;
  say("");
}

$("refresh").addEventListener("click", load);
load();
