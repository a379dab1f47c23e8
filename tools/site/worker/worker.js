/* Python, NumPy, autotiny and Graphviz in a Web Worker: loads them, then answers questions as JSON. */

import { packages } from "./built.js";
import { at } from "./fetching.js";
import { unpacked } from "./unpacking.js";

async function start() {
  const archives = Promise.all([at("numpy.packed"), at("autotiny.packed", "")].map((address) => unpacked(fetch(address))));
  archives.catch(() => {}); // it is awaited below, after Python
  const [{ loadPyodide }, { instance }] = await Promise.all(["pyodide.mjs", "viz.js", "pyodide.asm.js"].map((name) => import(at(name))));
  const [python, viz] = await Promise.all([loadPyodide({ indexURL: at("") }), instance()]);
  python.registerJsModule("graphviz_of_page", { render: (dot) => viz.renderString(dot, { format: "svg" }) });
  for (const { name, body } of (await archives).flat()) write(python.FS, `${packages}/${name}`, body);
  python.runPython(`import sys; sys.path.append("${packages}")`);
  return python.pyimport("autotiny.playground.in_browser");
}

function write(FS, path, body) {
  FS.mkdirTree(path.replace(/\/[^/]*$/, ""));
  FS.writeFile(path, body, { canOwn: true });
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
