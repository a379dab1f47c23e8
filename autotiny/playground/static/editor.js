/* A text area over its own coloured text, with a note beside each line; an error is underlined. */

import { element } from "./elements.js";

const TOKENS = /(?<comment>#[^\n]*)|(?<name>(?<!\.)[^\W\d]\w*)|(?<literal>\d[\w.]*)|./gsu;

export class Editor {
  /** `kinds` maps names to "variable" or "data". */
  constructor(container, changed) {
    this.kinds = {};
    this.wrong = null;
    this.painted = element("pre", { "aria-hidden": "true" });
    this.area = element("textarea", {
      "aria-label": container.dataset.label,
      placeholder: container.dataset.placeholder,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      autocorrect: "off",
      wrap: "off",
      rows: "1",
      oninput: () => {
        this.wrong = null;
        this.paint();
        changed();
      },
      onscroll: () => this.#follow(),
    });
    this.notes = element("div", { class: "notes", "aria-hidden": "true" });
    container.append(element("div", { class: "code" }, this.painted, this.area), this.notes);
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    if (text !== this.area.value) this.area.value = text;
    this.wrong = null;
    this.paint();
  }

  /** Underline a place: {line, column, width}, from 1; null for none. */
  mark(place) {
    this.wrong = place?.line ? place : null;
    this.area.setAttribute("aria-invalid", String(place !== null));
    this.paint();
  }

  /** Replace the underlined text. */
  replace(text) {
    const [start, end] = this.#range();
    this.area.setRangeText(text, start, end, "end");
    this.area.dispatchEvent(new Event("input"));
    this.area.focus();
  }

  /** The names that lines of the text define. */
  get names() {
    return [...this.text.matchAll(/^[ \t]*([^\W\d]\w*)[ \t]*=(?!=)/gmu)].map(([, name]) => name);
  }

  /** Put a text in place of the characters before the caret. */
  insert(text, before = 0) {
    const caret = this.area.selectionStart;
    this.area.setRangeText(text, caret - before, this.area.selectionEnd, "end");
    if (text.endsWith("()")) this.area.selectionStart = this.area.selectionEnd = this.area.selectionEnd - 1;
    this.area.dispatchEvent(new Event("input"));
    this.area.focus();
  }

  /** Set the notes beside the lines: elements by line, from 1. */
  annotate(beside) {
    this.notes.replaceChildren(...this.text.split("\n").map((_, i) => element("div", {}, ...(beside[i + 1] ?? []))));
  }

  paint() {
    const [start, end] = this.#range();
    const pieces = [];
    for (const { 0: text, index, groups } of this.text.matchAll(TOKENS)) {
      const kind = groups.name ? this.kinds[text] && `given ${this.kinds[text]}` : groups.comment ? "comment" : groups.literal && "literal";
      const wrong = index < end && index + text.length > start ? "wrong" : "";
      pieces.push(kind || wrong ? element("span", { class: `${kind ?? ""} ${wrong}`.trim() }, text) : text);
    }
    // an error at the end of the text is underlined beyond it
    if (start >= this.text.length && end > start) pieces.push(element("span", { class: "wrong" }, " "));
    this.painted.replaceChildren(...pieces, this.text.endsWith("\n") ? " " : ""); // an empty last line counts
    this.#follow();
  }

  #follow() {
    this.painted.scrollLeft = this.area.scrollLeft;
  }

  /** The start and the end of the underline in the text; [0, 0] for none. */
  #range() {
    if (!this.wrong) return [0, 0];
    const { line, column, width } = this.wrong;
    const lines = this.text.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    const characters = Array.from(lines[line - 1] ?? ""); // the language counts code points, a text area UTF-16 units
    const length = (n) => characters.slice(0, n).join("").length;
    return [before + length(column - 1), before + Math.max(length(column - 1 + width), length(column - 1) + 1)];
  }
}
