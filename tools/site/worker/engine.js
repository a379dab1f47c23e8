/* The engine of a page without a server: Python in a Web Worker, which is ended where an answer takes too long. */

import { Progress } from "./progress.js";

export const { seconds, bytes, home } = await (await fetch("engine.json")).json();
const STARTING = 120; // seconds to load, on a slow line

/** A worker with Python in it, which answers one question after the other. */
class PythonWorker {
  constructor(progress) {
    this.worker = new Worker(`${home}/worker.js`, { type: "module" });
    this.ready = this.#reply(STARTING, ({ loaded }) => progress.show(loaded / bytes));
  }

  ask(kind, question) {
    this.worker.postMessage({ kind, question: JSON.stringify(question) });
    return this.#reply(seconds[kind]);
  }

  end() {
    this.worker.terminate();
  }

  /** The next answer, within some seconds; messages about what has been loaded come before. */
  #reply(within, heard = () => {}) {
    return new Promise((resolve, reject) => {
      const clock = setTimeout(() => reject(new Error(`stopped: it took more than ${within} seconds`)), within * 1000);
      this.worker.onmessage = ({ data }) => {
        if ("loaded" in data) return heard(data);
        clearTimeout(clock);
        if ("failed" in data) reject(new Error(data.failed));
        else resolve(data.answer);
      };
      this.worker.onerror = (event) => {
        clearTimeout(clock);
        reject(new Error(event.message || "the worker could not be loaded"));
      };
    });
  }
}

let current = null;
let last = Promise.resolve(); // questions wait for one another: there is one worker

/** The answer to one question. */
export function answer(kind, question) {
  last = last.then(() => answerNow(kind, question));
  return last;
}

async function answerNow(kind, question) {
  const missing = needs();
  if (missing) return { error: { message: missing } };
  try {
    current ??= await started();
    return JSON.parse(await current.ask(kind, question));
  } catch (error) {
    current?.end();
    current = null;
    return { error: { message: error.message } };
  }
}

async function started() {
  const progress = new Progress();
  const worker = new PythonWorker(progress);
  try {
    await worker.ready;
    return worker;
  } catch (error) {
    worker.end();
    throw new Error(`Python did not start: ${error.message}. Reload the page to try again.`);
  } finally {
    progress.end();
  }
}

function needs() {
  if (!("WebAssembly" in window)) return "This browser has no WebAssembly, in which Python runs here.";
  if (!("Worker" in window)) return "This browser has no workers, in which Python runs here.";
  return "";
}
