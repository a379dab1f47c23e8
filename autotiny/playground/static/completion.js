/* Completion of names: a list under the caret. Ctrl Space opens it, ↑ ↓ choose, Tab or Enter insert, Escape closes. */

import { element } from "./elements.js";

const MOST = 8;
const SHORTEST = 2; // letters before the list opens by itself

let lists = 0;

export class Completion {
  #matches = [];
  #chosen = -1; // none: Enter begins a new line
  #word = "";

  /** `functions()` promises {name, usage, about}, `given()` lists the names of values. */
  constructor(editor, functions, given) {
    Object.assign(this, { editor, functions, given });
    this.area = editor.area;
    this.id = `completion-${++lists}`;
    this.list = element("ul", { class: "completion", role: "listbox", id: this.id, "aria-label": "Completions", hidden: true });
    this.spoken = element("span", { class: "unseen", role: "status" });
    document.body.append(this.list, this.spoken);
    this.area.setAttribute("aria-autocomplete", "list");
    this.area.setAttribute("aria-controls", this.id);
    this.area.addEventListener("input", (event) => (event.isTrusted ? this.open(SHORTEST) : this.close()));
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.area.addEventListener("blur", () => this.close());
    this.area.addEventListener("click", () => this.close());
    window.addEventListener("scroll", () => this.close(), { passive: true });
  }

  /** Open the list for the word before the caret, if it has so many letters. */
  async open(shortest) {
    const before = this.area.value.slice(0, this.area.selectionStart);
    const word = /(?<![.\w])[^\W\d]\w*$/u.exec(before)?.[0] ?? "";
    if (word.length < shortest || before.slice(before.lastIndexOf("\n") + 1).includes("#")) return this.close();
    const all = await this.functions();
    if (before !== this.area.value.slice(0, this.area.selectionStart)) return; // typed on meanwhile
    this.#word = word;
    this.#matches = matching(word, [...new Set([...this.given(), ...this.editor.names])], all);
    if (!this.#matches.length || (shortest && this.#matches[0].name === word)) return this.close();
    this.list.replaceChildren(...this.#matches.map((each, i) => this.#row(each, i)));
    this.list.hidden = false;
    this.#place(before);
    this.#choose(shortest ? -1 : 0);
    this.spoken.textContent = `${this.#matches.length} completions, ${this.#matches[0].name} first`;
  }

  close() {
    this.list.hidden = true;
    this.spoken.textContent = "";
    this.area.removeAttribute("aria-activedescendant");
  }

  #row({ name, usage, about }, i) {
    const row = element("li", { role: "option", id: `${this.id}-${i}` }, element("code", {}, usage ?? name), about ? element("small", {}, about) : null);
    row.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the text area keeps the focus
      this.#insert(i);
    });
    return row;
  }

  #key(event) {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      this.open(0);
    } else if (this.list.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const n = this.#matches.length;
      this.#choose(event.key === "ArrowDown" ? (this.#chosen + 1) % n : (Math.max(this.#chosen, 0) - 1 + n) % n);
    } else if ((event.key === "Tab" && !event.shiftKey) || (event.key === "Enter" && this.#chosen >= 0)) {
      event.preventDefault();
      this.#insert(Math.max(this.#chosen, 0));
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if (["ArrowLeft", "ArrowRight", "Home", "End", "Enter", "Tab"].includes(event.key)) this.close();
  }

  #choose(i) {
    this.#chosen = i;
    for (const [n, row] of [...this.list.children].entries()) row.setAttribute("aria-selected", String(n === i));
    const row = this.list.children[i];
    if (!row) return this.area.removeAttribute("aria-activedescendant");
    this.area.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  #insert(i) {
    const { name, usage } = this.#matches[i];
    const called = this.area.value[this.area.selectionStart] === "(";
    this.editor.insert(usage && !called ? `${name}()` : name, this.#word.length);
    this.close();
  }

  /** Under the line of the caret, within the window. */
  #place(before) {
    const { left, top } = this.area.getBoundingClientRect();
    const style = getComputedStyle(this.area);
    const lines = before.split("\n");
    const room = document.createElement("canvas").getContext("2d");
    room.font = `${style.fontSize} ${style.fontFamily}`;
    const start = lines.at(-1).slice(0, lines.at(-1).length - this.#word.length);
    const x = left + parseFloat(style.paddingLeft) + room.measureText(start).width - this.area.scrollLeft;
    const line = parseFloat(style.lineHeight);
    const y = top + parseFloat(style.paddingTop) + lines.length * line;
    const { width, height } = this.list.getBoundingClientRect();
    this.list.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    this.list.style.top = `${y + height > innerHeight && y - line > height ? y - line - height : y}px`;
  }
}

/** The names that begin with a word, those of values first; capitals do not matter. */
function matching(word, names, functions) {
  const lower = word.toLowerCase();
  const begins = ({ name }) => name.toLowerCase().startsWith(lower);
  const own = names.map((name) => ({ name })).filter((each) => begins(each) && each.name !== word);
  const known = functions.filter(begins).sort((a, b) => a.name.length - b.name.length);
  return [...own, ...known].slice(0, MOST);
}
