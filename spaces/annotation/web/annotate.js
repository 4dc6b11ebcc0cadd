"use strict";

// ---- what this browser keeps: the token, answers that are not acknowledged, drafts
const study = document.documentElement.dataset.study;
const memory = new Map();
const kept = {
  get(name) {
    try { return JSON.parse(localStorage.getItem(`${study}/${name}`)); } catch { return memory.get(name) ?? null; }
  },
  set(name, value) {
    memory.set(name, value);
    try { localStorage.setItem(`${study}/${name}`, JSON.stringify(value)); } catch { /* a private window: memory only */ }
  },
};
const $ = id => document.getElementById(id);
const address = new URL(location.href);
const prolific = Object.fromEntries(
  ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"].map(name => [name, address.searchParams.get(name)]).filter(([, value]) => value));
if (address.hash.startsWith("#token=")) {
  kept.set("token", address.hash.slice(7));
  history.replaceState(null, "", address.pathname + address.search);
}

let turn = null;  // what the server said last
let clock = { since: 0, away: 0, left: 0 };
let sending = false;
let patience = 0;

// ---- talking to the server
async function post(path, body = {}, token = kept.get("token")) {
  const headers = { "Content-Type": "application/json", "X-From": "page" };
  if (token) headers["X-Token"] = token;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const reply = await response.json().catch(() => ({ error: "The server gave no answer that this page understands." }));
  return { status: response.status, reply };
}

function say(text, isProblem = false) {
  $("state").textContent = text;
  $("state").classList.toggle("problem", isProblem);
}

const later = seconds => new Promise(done => setTimeout(done, 1000 * seconds));

// Sends what is not acknowledged, again and again, and returns the last answer of the server.
async function deliver() {
  if (sending) return null;
  sending = true;
  let last = null, notice = "";
  try {
    for (let outbox = kept.get("outbox") ?? []; outbox.length; outbox = kept.get("outbox") ?? []) {
      const { token, ...answer } = outbox[0];  // perhaps of somebody who used this browser before
      let result = null;
      try { result = await post("api/answer", answer, token); } catch { /* no network */ }
      if (result === null || result.status >= 500 || result.status === 429) {
        patience = Math.min(30, 2 * patience || 1);
        say(`Not saved yet. The answer is kept in this browser and sent again in ${patience} s.`, true);
        await later(patience);
        continue;
      }
      patience = 0;
      kept.set("outbox", (kept.get("outbox") ?? []).filter(one => one.uuid !== answer.uuid));
      if (token !== kept.get("token")) continue;
      if (result.status === 200) last = result.reply;
      else notice = result.reply.error;
    }
  } finally { sending = false; }
  say(notice, Boolean(notice));
  return last;
}

async function next() {
  for (;;) {
    let result = null;
    try { result = await post("api/next"); } catch { /* no network */ }
    if (result !== null && result.status < 500) {
      if (result.status === 200) return show(result.reply);
      if (result.status === 401) kept.set("token", null);
      say(result.reply.error, true);
      return welcome();
    }
    patience = Math.min(30, 2 * patience || 1);
    say(`The server does not answer. Trying again in ${patience} s.`, true);
    await later(patience);
  }
}

// ---- what is on the screen
const SECTIONS = ["welcome", "task", "training", "paused", "done"];
function only(shown) {
  for (const id of SECTIONS) $(id).hidden = id !== shown;
  $("bar").hidden = shown === "welcome";
  scrollTo(0, 0);
  $(shown).querySelector("[tabindex='-1']")?.focus();
}

function welcome() {
  if (Object.keys(prolific).length) { $("naming")?.remove(); $("sign-in")?.remove(); }
  only("welcome");
}

function show(reply) {
  turn = reply;
  $("undo").disabled = !reply.canUndo;
  if (reply.feedback) return practise(reply);
  if (reply.state !== "task") return finish(reply);
  const number = Math.min(reply.answered + 1, reply.of);
  $("progress").textContent = `${number} of ${reply.of}`;
  $("share").value = reply.answered / reply.of;
  $("task").innerHTML = reply.html;  // made by the server, which escapes what comes from data
  prepare($("answers"), reply);
  only("task");
  clock = { since: performance.now(), away: 0, left: 0 };
}

function practise(reply) {
  const list = $("expected");
  list.replaceChildren();
  for (const [name, value] of Object.entries(reply.feedback.expected)) {
    const term = document.createElement("dt"), definition = document.createElement("dd");
    term.textContent = name;
    definition.textContent = String(value);
    list.append(term, definition);
  }
  only("training");
}

function finish(reply) {
  $("done-title").textContent = reply.state === "done" ? "Thank you: that was all" : "Thank you: nothing more for now";
  $("done-text").textContent = `All ${reply.answered} answers are saved.` +
    (reply.state === "wait" ? " More may come once others have answered; your link stays valid." : "");
  $("code").textContent = reply.code;
  $("return").hidden = !reply.url;
  if (reply.url) $("return-link").href = reply.url;
  $("progress").textContent = `${reply.answered} answered`;
  $("share").value = 1;
  $("again").hidden = reply.state === "done";
  only("done");
}

// ---- a question
const DRAFTS = 5;  // the question at hand, and those that an undo put aside
const nameOf = task => JSON.stringify([task.item, task.step, task.sample, task.attempt]);

function draft(task, content) {
  const others = (kept.get("drafts") ?? []).filter(([name]) => name !== nameOf(task));
  kept.set("drafts", [...(content ? [[nameOf(task), content]] : []), ...others].slice(0, DRAFTS));
}

function prepare(form, reply) {
  const known = (kept.get("drafts") ?? []).find(([name]) => name === nameOf(reply.task));
  if (known) fill(form, known[1].answer, known[1].touched);
  else if (reply.before) fill(form, reply.before);
  for (const slider of form.querySelectorAll("input[type=range]")) {
    slider.addEventListener("input", () => touch(slider));
    slider.addEventListener("pointerup", () => touch(slider));
    slider.addEventListener("keydown", event => {
      const digit = Number(event.key);
      if (!/^[0-9]$/.test(event.key) || digit < Number(slider.min) || digit > Number(slider.max)) return;
      slider.value = event.key;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      event.preventDefault();
    });
  }
  form.addEventListener("input", () => draft(reply.task, read(form)));
  form.addEventListener("submit", event => { event.preventDefault(); submit(form); });
  for (const button of form.querySelectorAll("button[data-name]")) {
    button.addEventListener("click", () => submit(form, { [button.dataset.name]: button.dataset.value }));
  }
  const media = document.querySelector("#task img, #task video");
  media.addEventListener("error", () => say("The picture or video did not load. Reload the page.", true));
}

function touch(slider) {
  slider.dataset.touched = "yes";
  slider.closest(".slider").querySelector("output").textContent = slider.value;
  slider.closest(".slider").classList.toggle("set", slider.value !== slider.min);
}

function fill(form, answer, touched = null) {
  for (const [name, value] of Object.entries(answer)) {
    for (const input of form.querySelectorAll("input")) {
      if (input.name !== name) continue;
      if (input.type === "range") {
        input.value = value;
        if (touched ? touched.includes(name) : input.value !== input.min) touch(input);
      } else if (input.type === "checkbox") input.checked = value;
      else input.checked = input.value === value;
    }
  }
}

function read(form) {
  const answer = {}, touched = [];
  for (const input of form.querySelectorAll("input")) {
    if (input.type === "range") {
      answer[input.name] = Number(input.value);
      if (input.dataset.touched === "yes") touched.push(input.name);
    } else if (input.type === "checkbox") answer[input.name] = input.checked;
    else if (input.checked) answer[input.name] = input.value;
  }
  return { answer, touched };
}

async function submit(form, pressed = {}) {
  if (sending || form.dataset.sent) return;
  for (const group of form.querySelectorAll("[data-required]")) {
    if (group.querySelector(":checked")) continue;
    say(`Please answer: ${group.dataset.required}`, true);
    group.querySelector("input").focus();
    return;
  }
  form.dataset.sent = "yes";
  const { answer, touched } = read(form);
  const seconds = (performance.now() - clock.since - clock.away) / 1000;
  const sent = { token: kept.get("token"), uuid: newId(), task: turn.task, answer: { ...answer, ...pressed }, touched, seconds };
  kept.set("outbox", [...(kept.get("outbox") ?? []), sent]);
  draft(turn.task, null);
  const reply = await deliver();
  return reply ? show(reply) : next();
}

function newId() {  // crypto.randomUUID is there on https and localhost only
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// ---- what is pressed
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clock.left = performance.now();
  else if (clock.left) { clock.away += performance.now() - clock.left; clock.left = 0; }
});
document.addEventListener("keydown", event => {
  if ($("task").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey || $("help").open) return;
  const button = [...document.querySelectorAll("#task button[data-key]")].find(one => one.dataset.key === event.key);
  if (button) { event.preventDefault(); button.click(); }
});
$("join").addEventListener("submit", async event => {
  event.preventDefault();
  const demographics = {};
  for (const field of document.querySelectorAll("[data-question]")) {
    if (field.value) demographics[field.dataset.question] = field.value;
  }
  const body = { name: $("name")?.value ?? "", consent: $("consent")?.checked ?? false, demographics, prolific };
  let result = null;
  try { result = await post("api/join", body); } catch { /* no network */ }
  if (result?.status !== 200) return say(result?.reply.error ?? "The server does not answer. Try again.", true);
  kept.set("token", result.reply.token);
  say("");
  next();
});
$("undo").addEventListener("click", async () => {
  if (sending) return;
  let result = null;
  try { result = await post("api/undo"); } catch { /* no network */ }
  if (result?.status === 200) { say("The last answer is taken back. Answer again."); show(result.reply); }
  else say(result?.reply.error ?? "The server does not answer. Try again.", true);
});
$("show-help").addEventListener("click", () => $("help").showModal());
$("pause").addEventListener("click", () => {
  $("link").value = `${location.origin}${location.pathname}#token=${kept.get("token")}`;
  only("paused");
});
$("copy").addEventListener("click", async () => {
  $("link").select();
  try { await navigator.clipboard.writeText($("link").value); say("Copied."); } catch { say("Press Ctrl+C to copy."); }
});
for (const id of ["resume", "again"]) $(id).addEventListener("click", next);
$("go-on").addEventListener("click", () => { delete turn.feedback; show(turn); });

(async () => {
  if (!kept.get("token")) return welcome();
  if ((kept.get("outbox") ?? []).length) await deliver();
  next();
})();
