// Sends what waits, one at a time and from one tab only. A report keeps its id and its time, so that sending
// it again changes nothing.

import * as queue from "./queue.js";

const PATIENCE = 25_000;

// The server's clock as last heard: [its time, our steady clock, our wall clock], milliseconds.
let heard = null;

/** The server's time now; null where it was not heard since this page was opened, or the device slept. */
export function serverNow() {
  if (!heard) return null;
  const passed = performance.now() - heard.steady;
  if (Math.abs(Date.now() - heard.wall - passed) > 2_000) return null;
  return heard.server + passed;
}

/** Who is signed in, the token for forms, and the server's clock. Throws where there is no line. */
export async function session() {
  const before = performance.now();
  const response = await fetch("/session.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`session: ${response.status}`);
  const known = await response.json();
  const steady = performance.now();
  heard = { server: known.now + (steady - before) / 2, steady, wall: Date.now() };
  return known;
}

async function post(item, csrf) {
  const response = await fetch(item.url, {
    method: "POST",
    body: new URLSearchParams({ ...item.fields, event_id: item.id, subject: item.subject, time: item.time }),
    headers: { Accept: "application/json", "X-CSRF-Token": csrf },
    cache: "no-store",
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (response.type === "opaqueredirect" || response.status === 401) return { state: "sign_in" };
  if (response.status === 429 || response.status >= 500) return { state: "queued" };
  const answer = await response.json();
  if (response.ok) return { state: answer.overruled.length ? "overruled" : "sent", ...answer };
  if (answer.type === "/docs#forged-form") return { state: "queued" };
  return { state: "refused", errors: answer.errors };
}

/**
 * Send a person's waiting reports, or only the one named.
 *
 * Returns what became of each by its id: sent, overruled, refused (with errors), queued (no line),
 * sign_in (nobody, or somebody else, is signed in).
 */
export function send(owner, only = null) {
  return navigator.locks.request("canhdich-sending", async () => {
    const waiting = (await queue.all(owner)).filter(
      (item) => item.state === "queued" && (only === null || item.id === only),
    );
    const results = new Map();
    if (!waiting.length) return results;
    let known = null;
    try {
      known = await session();
    } catch {
      return results;
    }
    for (const item of waiting) {
      if (known.person !== owner) {
        results.set(item.id, { state: "sign_in" });
        continue;
      }
      if (!item.time) {
        // Once and for all: the device's clock, set right by how far it is off now.
        const now = serverNow() ?? known.now;
        item.time = new Date(Math.min(item.recorded + now - Date.now(), now)).toISOString();
        await queue.put(owner, item);
      }
      let result = { state: "queued" };
      try {
        result = await post(item, known.csrf);
      } catch {
        // No line, or an answer that is none: nobody knows whether it arrived. It is sent again.
      }
      results.set(item.id, result);
      if (result.state === "sent") await queue.remove(item.id);
      if (result.state === "refused") await queue.put(owner, { ...item, state: "refused", errors: result.errors });
      if (result.state === "overruled") {
        const { id, recorded, title } = item;
        const { location, overruled } = result;
        await queue.put(owner, { id, recorded, title, state: "overruled", location, overruled });
      }
      if (result.state === "queued") break;
    }
    return results;
  });
}
