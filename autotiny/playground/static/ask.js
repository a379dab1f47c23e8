/* Questions to the engine of this page. */

import { answer as ask } from "./engine.js";

export { ask };

/** Asks one kind of question. While one is being answered, only the latest other one waits. */
export class Lane {
  #waiting = null;
  #busy = false;

  constructor(kind, show) {
    this.kind = kind;
    this.show = show;
  }

  async ask(question) {
    this.#waiting = question;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting !== null) {
      const asked = this.#waiting;
      this.#waiting = null;
      this.show(await ask(this.kind, asked), asked, this.#waiting === null);
    }
    this.#busy = false;
  }
}
