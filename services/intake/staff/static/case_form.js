// Forms of cases: what is sent is kept on the device first, so that nothing is lost without a line.

import * as queue from "./queue.js";
import { send, serverNow } from "./sending.js";

const { person } = document.body.dataset;
const words = JSON.parse(document.getElementById("queue-words").textContent);
const language = document.documentElement.lang;
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";

/** An id that sorts by the time at which it was made (RFC 9562, version 7). */
function uuid7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let now = Date.now();
  for (let place = 5; place >= 0; place -= 1) {
    bytes[place] = now % 256;
    now = Math.floor(now / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function newSubject(prefix) {
  // 240 is the largest multiple of 20 that a byte holds: every letter is as likely.
  const letters = [];
  while (letters.length < 8) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 240) letters.push(LETTERS[byte % 20]);
  }
  return `${prefix}-${letters.join("")}`;
}

function say(form, errors) {
  for (const place of form.querySelectorAll(".error")) {
    place.hidden = true;
    place.textContent = "";
  }
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const whole = document.getElementById(`${form.id}--error`);
  const done = document.getElementById(`${form.id}--done`);
  done.hidden = true;
  whole.hidden = errors.length === 0;
  const lines = [];
  for (const error of errors) {
    const message = language === "vi" ? error.message_vi : error.message_en;
    const field = form.elements[error.field];
    const place = document.getElementById(`${form.id}-${error.field}-error`);
    if (!field || !place || !error.field) {
      lines.push(message);
      continue;
    }
    field.setAttribute("aria-invalid", "true");
    place.hidden = false;
    place.textContent = `${place.textContent} ${message}`.trim();
    const details = field.closest("details");
    if (details) details.open = true;
  }
  whole.textContent = lines.join(" ") || (errors.length ? words.errors : "");
  form.querySelector("[aria-invalid]")?.focus();
}

function typed(form) {
  const fields = Object.fromEntries(new FormData(form));
  for (const name of ["csrf", "form_id", "subject"]) delete fields[name];
  return fields;
}

function titleOf(form, fields) {
  if (form.dataset.subject) {
    return `${form.dataset.subject}: ${form.closest("details").querySelector("summary").textContent}`;
  }
  return [fields.disease, fields.area].filter(Boolean).join(", ");
}

async function submit(event) {
  const form = event.target.closest("form[data-queue]");
  if (!form || !person || !queue.isPossible) return;
  event.preventDefault();
  const button = form.querySelector("button:not([type=button])");
  button.disabled = true;
  try {
    await take(form);
  } finally {
    button.disabled = false;
  }
}

async function take(form) {
  const fields = typed(form);
  const now = serverNow();
  const item = {
    id: uuid7(),
    subject: form.dataset.subject ?? newSubject(form.dataset.prefix),
    url: form.getAttribute("action"),
    fields,
    title: titleOf(form, fields),
    recorded: Date.now(),
    time: now === null ? null : new Date(now).toISOString(),
    state: "queued",
  };
  await queue.put(person, item);
  if (form.dataset.mends) await queue.remove(form.dataset.mends);
  delete form.dataset.mends;
  const result = (await send(person, item.id)).get(item.id) ?? { state: "queued" };
  if (result.state === "refused") {
    // Whoever typed it is here to mend it: it stands in the form.
    await queue.remove(item.id);
    say(form, result.errors);
    return changed();
  }
  say(form, []);
  if (result.state === "sent" || result.state === "overruled") {
    if (result.state === "overruled") await queue.remove(item.id);
    location.assign(result.location);
    return;
  }
  const done = document.getElementById(`${form.id}--done`);
  done.hidden = false;
  done.textContent = `${words.kept}${item.title}. ${result.state === "sign_in" ? words.sign_in : words.no_line}`;
  if (!form.dataset.subject) {
    form.reset();
    form.elements.disease.focus();
  }
  changed();
}

async function changed() {
  await showQueue();
  document.dispatchEvent(new Event("queue-changed"));
}

function made(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...properties });
}

function line(item) {
  const state = item.state === "overruled" ? words.sent : words[item.state];
  const row = made("li", "", { id: `queue-${item.id}` });
  row.append(made("span", item.title), " ");
  row.append(made("span", state, { className: `tag ${item.state === "refused" ? "bad" : "warn"}` }), " ");
  for (const error of item.errors ?? []) {
    row.append(made("p", language === "vi" ? error.message_vi : error.message_en, { className: "error" }));
  }
  if (item.overruled) row.append(made("p", words.overruled + item.overruled.join(", ")));
  if (item.location) row.append(made("a", words.open, { href: item.location }), " ");
  if (item.state === "refused") {
    row.append(made("button", words.mend, { type: "button", className: "second", onclick: () => mend(item) }), " ");
  }
  const drop = async () => {
    if (item.state !== "overruled" && !confirm(words.drop_sure)) return;
    await queue.remove(item.id);
    changed();
  };
  row.append(made("button", words.drop, { type: "button", className: "second", onclick: drop }));
  return row;
}

async function showQueue() {
  const section = document.getElementById("queue");
  if (!section || !person || !queue.isPossible) return;
  const items = await queue.all(person);
  const others = await queue.countOfOthers(person);
  const list = document.getElementById("queue-list");
  list.replaceChildren(...items.map(line));
  if (others) list.append(made("li", words.of_others + others));
  section.hidden = items.length === 0 && others === 0;
}

function formOf(item) {
  return [...document.querySelectorAll("form[data-queue]")].find(
    (form) => form.getAttribute("action") === item.url && (form.elements.form?.value ?? "") === (item.fields.form ?? ""),
  );
}

function mend(item) {
  const form = formOf(item);
  if (!form) {
    location.assign(`${item.url}#mend-${item.id}`);
    return;
  }
  for (const [name, value] of Object.entries(item.fields)) {
    const field = form.elements[name];
    if (field && field.type !== "checkbox") field.value = value;
  }
  form.dataset.mends = item.id;
  const details = form.closest("details");
  if (details) details.open = true;
  say(form, item.errors);
}

async function mendNamed() {
  const id = location.hash.match(/^#mend-(.+)$/)?.[1];
  if (!id) return;
  const item = (await queue.all(person)).find((waiting) => waiting.id === id);
  if (item) mend(item);
}

document.addEventListener("submit", submit);
document.addEventListener("queue-sent", showQueue);
if (queue.isPossible && person) showQueue().then(mendNamed);
