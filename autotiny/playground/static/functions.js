/* The functions of the language: asked for once, and listed under the program. */

import { ask } from "./ask.js";
import { element } from "./elements.js";

let asked = null;

/** Every function as {name, usage, about}. */
export function functions() {
  asked ??= ask("functions", { program: "", values: {}, claims: "" }).then((answer) => {
    if (answer.error) asked = null; // the next one may be answered
    return answer.functions ?? [];
  });
  return asked;
}

/** A list that opens, with a field that searches it; a click or Enter inserts a call at the caret. */
export class FunctionList {
  constructor(details, editor) {
    this.editor = editor;
    this.list = element("ul", {});
    this.search = element("input", { type: "search", placeholder: "search, such as exp or mean", "aria-label": "Search functions" });
    this.search.addEventListener("input", () => this.show());
    details.append(this.search, this.list);
    details.addEventListener("toggle", () => details.open && this.show());
  }

  async show() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = await functions();
    const matching = all.filter(({ usage, about }) => words.every((word) => `${usage} ${about}`.toLowerCase().includes(word)));
    const rows = matching.map((each) => this.#row(each));
    this.list.replaceChildren(...(rows.length ? rows : [element("li", {}, element("small", {}, "no function has these words"))]));
  }

  #row({ name, usage, about }) {
    const insert = () => this.editor.insert(`${name}()`);
    return element("li", {}, element("button", { type: "button", onclick: insert }, element("code", {}, usage), element("small", {}, about)));
  }
}
