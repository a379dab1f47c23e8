/* Python in a Web Worker, which answers one question after the other and is ended where an answer takes too long. */

import { seconds, sizes } from "./built.js";

const bytes = Object.values(sizes).reduce((sum, each) => sum + each);
const STARTING = 120; // seconds to load, on a slow line

export class PythonWorker {
  /** `progress` is called with the part of the files that has arrived, from 0 to 1. */
  constructor(progress) {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.ready = this.#reply(STARTING, ({ loaded }) => progress(loaded / bytes));
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
        reject(new Error(event.message || "worker.js could not be loaded"));
      };
    });
  }
}
