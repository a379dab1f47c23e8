/* Undo and redo, of states that stayed unchanged for a moment. */

const REST = 500;

export class History {
  #past = [];
  #future = [];
  #timer = 0;

  /** `restore(state)` shows a state. */
  constructor(restore) {
    this.restore = restore;
  }

  /** Remember a state if it stays unchanged for a moment. */
  keep(state) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keepNow(state), REST);
  }

  keepNow(state) {
    clearTimeout(this.#timer);
    const text = JSON.stringify(state);
    if (text === this.#past.at(-1)) return;
    this.#past.push(text);
    this.#future = [];
  }

  undo(state) {
    this.keepNow(state);
    if (this.#past.length < 2) return;
    this.#future.push(this.#past.pop());
    this.restore(JSON.parse(this.#past.at(-1)));
  }

  redo() {
    if (!this.#future.length) return;
    this.#past.push(this.#future.pop());
    this.restore(JSON.parse(this.#past.at(-1)));
  }
}
