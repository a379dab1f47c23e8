/* A derivation: from the chain rule to the textbook's formula, with the rule of every step. */

import { copy, element, math } from "./elements.js";

/** Show a derivation; `choose(name)` asks for that of another tensor, `python()` for the page as a script. */
export function showDerivation(panel, answer, choose, python) {
  const choice = element("select", { "aria-label": "Gradient to derive", onchange: () => choose(choice.value) });
  choice.append(...answer.names.map((name) => element("option", { selected: name === answer.of }, name)));
  panel.replaceChildren(
    element("div", { class: "copies", role: "group", "aria-label": "Copy" }, "Copy", ...copies(answer.copies), copyButton("Python", python)),
    element("p", { class: "derived" }, "Gradient by ", choice),
    element(
      "ol",
      { class: "steps" },
      row(math(answer.gradient), answer.chain, "chain rule"),
      ...answer.steps.map((step) => row(null, step, note(step), Number(step.error) ? step.error : "exact")),
    ),
    element("ul", { class: "lemmas" }, ...answer.lemmas.map((lemma) => lemmaOf(lemma, choose))),
    element("p", { class: answer.ok ? "good" : "bad" }, verdict(answer)),
  );
}

function verdict({ ok, largest }) {
  if (!ok) return `It differs from backprop by ${largest}.`;
  return Number(largest) ? `It agrees with backprop to ${largest}.` : "It agrees with backprop exactly.";
}

const copies = (texts) => Object.entries(texts).map(([what, text]) => copyButton(what, () => text));

function copyButton(what, text) {
  const title = { LaTeX: "The derivation", NumPy: "The gradient as a function of NumPy arrays", Python: "The whole page as a script" }[what];
  return element("button", { type: "button", title, onclick: async () => copy(await text(), what) }, what);
}

function row(left, formula, rule, error) {
  return element(
    "li",
    {},
    element("div", { class: "left" }, left),
    element("div", { class: "formula" }, math({ math: `<mo>=</mo>${formula.math}`, text: formula.text })),
    element("div", { class: "rule" }, rule, error ? element("span", { class: "error", title: "how much this step changes the value" }, error) : null),
  );
}

const note = ({ rule, condition }) => (condition ? `${rule} (${condition})` : rule);

function lemmaOf(lemma, choose) {
  const open = element("button", { type: "button", class: "quiet", onclick: () => choose(lemma.of) }, "derive it");
  return element("li", {}, "where ", math({ math: `${lemma.gradient.math}<mo>=</mo>${lemma.math}`, text: lemma.text }), " ", open);
}
