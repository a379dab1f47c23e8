/* The verdicts on the gradients that were derived by hand. */

import { element, picture } from "./elements.js";

/** A mark for the line of each claim, for the editor. */
export const marks = (rows) => Object.fromEntries(rows.map(({ line, ok }) => [line, [element("span", { class: ok ? "good" : "bad" }, ok ? "✓" : "✗")]]));

/** One sentence for the claims that agree, and an item for each that does not. */
export function showVerdicts(list, status, rows) {
  const wrong = rows.filter((row) => !row.ok);
  const agree = rows.length - wrong.length;
  const whole = rows.length === 1 ? "It agrees" : "All agree";
  status.textContent = !agree ? "" : wrong.length ? `${agree} of ${rows.length} agree.` : `${whole} with autograd and with the numeric gradient.`;
  status.classList.toggle("good", agree > 0 && !wrong.length);
  list.replaceChildren(...wrong.map(item));
}

function item(row) {
  return element(
    "li",
    {},
    element("span", { class: "mark", "aria-hidden": "true" }, "✗"),
    element("span", { class: "of" }, `d${row.name}`),
    element("span", {}, row.notes?.length ? row.notes.join("; ") : VERDICTS[row.verdict] ?? row.verdict),
    row.error === undefined ? null : detail(row),
  );
}

const VERDICTS = {
  "analytic DIFFERS": "differs from autograd and from the numeric gradient",
  "autograd DIFFERS": "autograd differs from the numeric gradient",
  undecided: "differs from autograd, and the numeric gradient cannot decide which is right",
};

function detail(row) {
  const where = row.at.length ? ` at [${row.at.join(", ")}]` : "";
  const side = (label, value) => element("span", {}, `${label} `, element("b", {}, value.replaceAll("-", "−")));
  return element(
    "span",
    { class: "detail" },
    side(`yours${where}`, row.analytic),
    side("autograd", row.autograd),
    side("numeric", row.numeric),
    row.heat ? picture(row.heat) : null,
  );
}
