// On every page: the service worker, what waits, signing out.

import * as queue from "./queue.js";
import { send, session } from "./sending.js";

const { person, worker } = document.body.dataset;
const EVERY = 30_000;
const SHELL_OF = "canhdich-form-of";
const SIGN_OUT = "canhdich-sign-out";

async function forgetForm() {
  localStorage.removeItem(SHELL_OF);
  await caches.delete("form");
}

async function register() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(worker);
  if (!person) return;
  const { active } = await navigator.serviceWorker.ready;
  if (localStorage.getItem(SHELL_OF) !== person) {
    localStorage.setItem(SHELL_OF, person);
    active.postMessage("keep-form");
  }
}

async function showCount() {
  const badge = document.getElementById("queue-badge");
  if (!badge || !person) return;
  const waiting = (await queue.all(person)).filter((item) => item.state !== "overruled").length;
  badge.hidden = waiting === 0;
  badge.textContent = badge.dataset.text.replace("#", waiting);
}

async function sendWaiting() {
  if (!person) return;
  const results = await send(person);
  await showCount();
  if (results.size) document.dispatchEvent(new CustomEvent("queue-sent", { detail: results }));
}

async function signOut(event) {
  event.preventDefault();
  const form = event.target;
  let isThere = true;
  try {
    await session();
    await send(person);
  } catch {
    isThere = false;
  }
  const waiting = (await queue.all(person)).filter((item) => item.state !== "overruled").length;
  if (waiting && !confirm(form.dataset.sure.replace("#", waiting))) return;
  await queue.wipe(person);
  await forgetForm();
  if (isThere) return form.submit();
  localStorage.setItem(SIGN_OUT, "1");
  alert(form.dataset.here);
  location.assign("/offline");
}

/** Somebody signed out while there was no line. */
async function signOutLater() {
  if (!localStorage.getItem(SIGN_OUT)) return;
  const known = await session();
  if (known.person) {
    const body = new URLSearchParams({ csrf: known.csrf });
    const answer = await fetch("/sign-out", { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect" && !answer.ok) return;
  }
  localStorage.removeItem(SIGN_OUT);
  if (person) location.assign("/");
}

if (queue.isPossible) {
  document.getElementById("sign-out")?.addEventListener("submit", signOut);
  document.addEventListener("queue-changed", showCount);
  addEventListener("online", sendWaiting);
  setInterval(sendWaiting, EVERY);
  register();
  signOutLater().catch(() => {}).then(showCount).then(sendWaiting);
}
