/* The engine of a page without a server: up to two workers, so that a picture does not wait for a derivation. */

import { Progress } from "./progress.js";
import { PythonWorker } from "./python.js";

const MOST = 2;
const FIRST = ["picture", "entries"]; // the kinds that are asked while something moves

let free = [];
let workers = 0; // those that are starting, free or asked
let starting = false;
let waiting = [];

/** The answer to one question; where there is none, the reason in words as an answer with an error. */
export function answer(kind, question) {
  document.querySelector(".unstarted")?.remove();
  const missing = needs();
  if (missing) return { error: { message: missing } };
  return new Promise((resolve) => {
    const place = FIRST.includes(kind) ? waiting.findIndex((each) => !FIRST.includes(each.kind)) : -1;
    waiting.splice(place < 0 ? waiting.length : place, 0, { kind, question, resolve });
    next();
  });
}

/** Give the first question to a free worker; start one where there is none. */
function next() {
  if (waiting.length && free.length) ask(free.pop(), waiting.shift());
  else if (waiting.length && workers < MOST && !starting) start();
}

async function ask(worker, { kind, question, resolve }) {
  try {
    resolve(JSON.parse(await worker.ask(kind, question)));
    free.push(worker);
  } catch (error) {
    worker.end();
    workers -= 1;
    resolve({ error: { message: error.message } });
    if (workers === 0) start(); // the next question finds it ready
  }
  next();
}

async function start() {
  const alone = workers === 0;
  workers += 1;
  starting = true;
  const progress = alone ? new Progress() : null;
  const worker = new PythonWorker((part) => progress?.show(part));
  try {
    await worker.ready;
    free.push(worker);
  } catch (error) {
    worker.end();
    workers -= 1;
    if (workers === 0) refuse(`Python did not start: ${error.message}. Reload the page to try again.`);
  }
  starting = false;
  progress?.end();
  next();
}

function refuse(message) {
  for (const { resolve } of waiting) resolve({ error: { message } });
  waiting = [];
}

function needs() {
  if (!("WebAssembly" in window)) return "This browser has no WebAssembly, in which Python runs here.";
  if (!("Worker" in window)) return "This browser has no workers, in which Python runs here.";
  return "";
}

if (!needs()) start(); // the first question finds it under way
