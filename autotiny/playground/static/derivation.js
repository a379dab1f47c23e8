/* A derivation: from the chain rule to the textbook's formula, with the rule of every step. */

import { element, math } from "./elements.js";

/** Show a derivation; `choose(name)` asks for that of another tensor. */
export function showDerivation(panel, answer, choose) {
  const choice = element("select", { "aria-label": "Gradient to derive", onchange: () => choose(choice.value) });
  choice.append(...answer.names.map((name) => element("option", { selected: name === answer.of }, name)));
  panel.replaceChildren(
    element("p", { class: "derived" }, "Gradient by ", choice),
    element(
      "ol",
      { class: "steps" },
      row(math(answer.gradient), answer.chain, "chain rule"),
      ...answer.steps.map((step) => row(null, step, note(step), Number(step.error) ? step.error : "exact")),
    ),
    element("ul", { class: "lemmas" }, ...answer.lemmas.map((lemma) => lemmaOf(lemma, choose))),
    element("p", { class: answer.ok ? "good" : "bad" }, answer.ok ? `It agrees with backprop to ${answer.largest}.` : `It differs from backprop by ${answer.largest}.`),
  );
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
