// Reports that wait on this device. Each person's are encrypted with a key of their own that cannot be read
// out of the browser; signing out deletes key and reports.

const KEYS = "keys";
const ITEMS = "items";

export const isPossible = "indexedDB" in self && Boolean(self.crypto?.subtle) && "locks" in navigator;

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("canhdich", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(KEYS);
      request.result.createObjectStore(ITEMS, { keyPath: "id" });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function act(names, mode, work) {
  const transaction = (await database()).transaction(names, mode, { durability: "strict" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  const results = work(transaction);
  await ended;
  return results?.result;
}

async function keyOf(owner, make) {
  const known = await act([KEYS], "readonly", (t) => t.objectStore(KEYS).get(owner));
  if (known || !make) return known;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await act([KEYS], "readwrite", (t) => {
    const store = t.objectStore(KEYS);
    // Another tab may have made one meanwhile: the first stands.
    store.get(owner).onsuccess = (event) => event.target.result || store.put(made, owner);
  });
  return keyOf(owner, false);
}

const bound = (owner, id) => new TextEncoder().encode(`${owner} ${id}`);

/** Keep a report, or what has become of it. `item.id` names it; everything but that is encrypted. */
export async function put(owner, item) {
  const key = await keyOf(owner, true);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new TextEncoder().encode(JSON.stringify(item));
  const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bound(owner, item.id) }, key, text);
  await act([ITEMS], "readwrite", (t) => t.objectStore(ITEMS).put({ id: item.id, owner, iv, box }));
}

/** A person's reports, the oldest first. */
export async function all(owner) {
  const key = await keyOf(owner, false);
  if (!key) return [];
  const rows = await act([ITEMS], "readonly", (t) => t.objectStore(ITEMS).getAll());
  const items = [];
  for (const { id, iv, box } of rows.filter((row) => row.owner === owner)) {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: bound(owner, id) }, key, box);
    items.push(JSON.parse(new TextDecoder().decode(text)));
  }
  return items.sort((one, other) => one.recorded - other.recorded);
}

/** How many reports of other people wait here. */
export async function countOfOthers(owner) {
  const rows = await act([ITEMS], "readonly", (t) => t.objectStore(ITEMS).getAll());
  return rows.filter((row) => row.owner !== owner).length;
}

export async function remove(id) {
  await act([ITEMS], "readwrite", (t) => t.objectStore(ITEMS).delete(id));
}

/** Delete a person's key and reports. */
export async function wipe(owner) {
  await act([KEYS, ITEMS], "readwrite", (t) => {
    t.objectStore(KEYS).delete(owner);
    t.objectStore(ITEMS).openCursor().onsuccess = (event) => {
      const cursor = event.target.result;
      if (!cursor) return;
      if (cursor.value.owner === owner) cursor.delete();
      cursor.continue();
    };
  });
}
