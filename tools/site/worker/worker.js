/* Python, NumPy, autotiny and Graphviz in a Web Worker: loads them, then answers questions as JSON. */

let loaded = 0;
const plain = self.fetch.bind(self);

/** fetch, which tells the page how many bytes have arrived, and what did not: Pyodide would go on without. */
self.fetch = async (request, options) => {
  const response = await plain(request, options).catch(() => ({ ok: false, statusText: "no answer" }));
  if (!response.ok) {
    const name = new URL(request.url ?? request, import.meta.url).pathname.split("/").at(-1);
    const failed = `${name} could not be loaded (${response.status ?? response.statusText})`;
    self.postMessage({ failed });
    throw new Error(failed);
  }
  const counter = new TransformStream({
    transform(chunk, stream) {
      loaded += chunk.length;
      self.postMessage({ loaded });
      stream.enqueue(chunk);
    },
  });
  const { headers, status, statusText } = response;
  return new Response(response.body.pipeThrough(counter), { headers, status, statusText });
};

async function start() {
  const [{ loadPyodide }, { instance }] = await Promise.all([import("./pyodide.mjs"), import("./viz.js")]);
  const archive = fetch(new URL("autotiny.zip", import.meta.url));
  const [python, viz] = await Promise.all([
    loadPyodide({ indexURL: new URL(".", import.meta.url).href, packages: ["numpy"] }),
    instance(),
  ]);
  python.registerJsModule("graphviz_of_page", { render: (dot) => viz.renderString(dot, { format: "svg" }) });
  python.unpackArchive(await (await archive).arrayBuffer(), "zip", { extractDir: "/lib/autotiny" });
  python.runPython("import sys; sys.path.insert(0, '/lib/autotiny')");
  return python.pyimport("autotiny.playground.in_browser");
}

const starting = start();
starting.then(
  () => self.postMessage({ answer: "ready" }),
  (error) => self.postMessage({ failed: String(error.message).trim().split("\n").at(-1) }),
);

self.onmessage = async ({ data: { kind, question } }) => {
  try {
    self.postMessage({ answer: (await starting).answered(kind, question) });
  } catch (error) {
    self.postMessage({ failed: String(error.message).trim().split("\n").at(-1) });
  }
};
