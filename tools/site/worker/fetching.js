/* The large files, all asked for at once, where Python would ask for one after the other; the page hears what arrives. */

import { home, sizes } from "./built.js";

const plain = self.fetch.bind(self);
let loaded = 0;

/** The address of a file of the page or, without another folder, of Python's. */
export const at = (name, folder = home) => new URL(folder + name, import.meta.url).href;

const asked = new Map(Object.keys(sizes).map((path) => [at(path, ""), arriving(at(path, ""))]));

/** fetch, as Pyodide calls it, whose responses are these. */
self.fetch = (request, options) => asked.get(request.url ?? String(request)) ?? arriving(request, options);

/** A response, which tells the page how many bytes have arrived, and what did not: Pyodide would go on without. */
async function arriving(request, options) {
  const response = await plain(request, options).catch(() => ({ ok: false, statusText: "no answer" }));
  if (!response.ok) {
    const name = new URL(request.url ?? request).pathname.split("/").at(-1);
    const failed = `${name} could not be loaded (${response.status ?? response.statusText})`;
    self.postMessage({ failed });
    throw new Error(failed);
  }
  count(response.clone()); // browsers keep the compiled WebAssembly of a response that is theirs, not of one made here
  return response;
}

async function count({ body }) {
  const reader = body.getReader();
  for (let part; !(part = await reader.read()).done; ) {
    loaded += part.value.length;
    self.postMessage({ loaded });
  }
}
