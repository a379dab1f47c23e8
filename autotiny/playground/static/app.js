/* The page: one state, changed by the editors and the values, from which every answer is computed. */

import { EMPTY, fromFragment, toFragment } from "./address.js";
import { ask, Lane } from "./ask.js";
import { Closer } from "./closer.js";
import { Completion } from "./completion.js";
import { showDerivation } from "./derivation.js";
import { Descent } from "./descent.js";
import { Editor } from "./editor.js";
import { element, notice, picture } from "./elements.js";
import { FunctionList, functions } from "./functions.js";
import { History } from "./history.js";
import { combined, number, rounded, withEntry } from "./numbers.js";
import { Tabs } from "./tabs.js";
import { Values } from "./values.js";
import { marks, showVerdicts } from "./verdicts.js";

const PATIENCE = 400; // milliseconds without typing before an error is shown
const RESTING = 120; // and before the claims are compared: the picture comes first
const SAVING = 250; // browsers refuse to change the address many times a second

const find = (selector) => document.querySelector(selector);
const canvas = find("#canvas");
const programStatus = find("#program-status");
const claimsStatus = find("#claims-status");

let state = EMPTY;

const program = new Editor(find("#program .editor"), () => change({ program: program.text }));
const claims = new Editor(find("#claims .editor"), () => change({ claims: claims.text }));
const given = (claimed) => Object.keys(state.values).flatMap((name) => (claimed ? [`d${name}`, name] : [name]));
new Completion(program, functions, () => given(false));
new Completion(claims, functions, () => [...given(true), ...program.names]);
new FunctionList(find("#functions"), program);
const values = new Values(find("#values-list"), (name, given, place) => {
  if (place && !given.data) descent.follow(name, place);
  const { [name]: _, ...others } = state.values;
  change({ values: given ? { ...state.values, [name]: given } : others });
});
const tabs = new Tabs(find(".tabs"), (view) => change({ view }));
const history_ = new History((earlier) => show(earlier));

// ----- state -----

/** Change a part of the state, and ask for new answers. */
function change(part) {
  state = { ...state, ...part };
  history_.keep(state);
  refresh();
}

/** Show another state: of an example, of an address, or an earlier one. */
function show(whole) {
  state = { ...EMPTY, ...whole };
  program.text = state.program;
  claims.text = state.claims;
  find("#question").textContent = state.question;
  arrived = true;
  refresh();
}

function refresh() {
  values.show(state.values);
  program.kinds = Object.fromEntries(Object.entries(state.values).map(([name, { data }]) => [name, data ? "data" : "variable"]));
  claims.kinds = program.kinds;
  tabs.show(view());
  find("#dataset select").value = state.dataset;
  find("#dataset span").textContent = state.dataset && "gives X, Y and m: a column of X and Y for each of m examples";
  find("#values").hidden = Object.keys(state.values).length === 0;
  pictures.ask(question());
  saveSoon();
}

const view = () => (tabs.has(state.view) ? state.view : "graph");
const question = () => ({ program: state.program, dataset: state.dataset, values: state.values, claims: state.claims, about: state.about });

let saving = 0;
function saveSoon() {
  clearTimeout(saving);
  saving = setTimeout(save, SAVING);
}

function save() {
  clearTimeout(saving);
  history.replaceState(null, "", toFragment(state));
}

// ----- answers -----
let slope = { of: null, gradients: {}, loss: null };

const pictures = new Lane("picture", (answer, asked) => {
  if (answer.error) return explain(answer.error, program, programStatus);
  calm(program, programStatus);
  program.annotate(Object.fromEntries(answer.lines.map((each) => [each.line, beside(each)])));
  values.showGradients(answer.gradients);
  slope = { of: asked.values, gradients: answer.gradients, loss: answer.loss };
  find("#downhill").disabled = Object.keys(answer.gradients).length === 0;
  showPicture(answer.svg, answer.text);
  programStatus.replaceChildren(...summary(answer), ...offers(answer), ...thought(answer));
  clearTimeout(resting);
  resting = setTimeout(() => {
    comparisons.ask(asked);
    VIEWS[view()]?.ask(asked);
  }, RESTING);
});
let resting = 0;

const comparisons = new Lane("comparison", (answer) => {
  if (answer.error) return explain(answer.error, claims, claimsStatus);
  calm(claims, claimsStatus);
  claims.annotate(marks(answer.rows));
  showVerdicts(find("#verdicts"), claimsStatus, answer.rows);
});

/** The value of a line. */
const beside = ({ shape, value }) => [
  element("span", { class: "range" }, value.replaceAll("-", "−")),
  shape.length ? element("span", { class: "shape" }, shape.join(" × ")) : null,
];

const descent = new Descent(find("#descent"), {
  question,
  rate: find("#rate"),
  apply: (moved) => {
    const given = Object.entries(moved).filter(([name]) => state.values[name]);
    change({ values: { ...state.values, ...Object.fromEntries(given.map(([name, value]) => [name, { ...state.values[name], value }])) } });
    return state.values;
  },
  set: (name, place, x) => {
    const given = state.values[name];
    change({ values: { ...state.values, [name]: { ...given, value: withEntry(given.value, place, x) } } });
  },
});

/** The views that are computed only while their tab is open. */
const VIEWS = {
  steps: new Lane("steps", ({ error, html }) => {
    const frame = find("#steps iframe");
    frame.hidden = Boolean(error);
    if (html && frame.srcdoc !== html) frame.srcdoc = html; // the same page would begin again at its first step
    find("#steps .status").textContent = error?.message ?? "";
  }),
  derivation: new Lane("derivation", (answer) => {
    const panel = find("#derivation");
    if (answer.error) panel.replaceChildren(element("p", { class: "status bad" }, answer.error.message));
    else showDerivation(panel, answer, (about) => change({ about }), async () => (await ask("export", { ...question(), form: "py" })).text);
  }),
  compiled: new Lane("compiled", ({ error, source }) => {
    const [buffers, step] = (source ?? "").split(/\n+(?=def )/);
    find(".buffers .source").textContent = buffers;
    find(".buffers").hidden = !step;
    find(".source.step").textContent = step ?? "";
    find("#compiled .status").textContent = error?.message ?? "";
  }),
  descent,
};

const closer = new Closer(document.body, async (card) => {
  const answer = await ask("entries", { ...question(), card });
  if (answer.error) notice(answer.error.message);
  return answer.error ? null : answer;
});

let arrived = true; // whether another state is shown, whose picture is scrolled to its middle

function showPicture(drawing, text = "") {
  const svg = drawing && picture(drawing);
  if (svg) {
    canvas.style.setProperty("--natural", `${svg.getAttribute("width")}px`);
    canvas.style.setProperty("--ratio", svg.getAttribute("width") / svg.getAttribute("height"));
    closer.watch(svg);
  }
  canvas.replaceChildren(svg || element("pre", {}, text));
  if (arrived) canvas.scrollTo((canvas.scrollWidth - canvas.clientWidth) / 2, 0);
  arrived = false;
  canvas.dataset.drawn = String(Number(canvas.dataset.drawn ?? 0) + 1);
}

function summary({ lines, note }) {
  if (note) return [note];
  const result = lines.reduce((last, each) => (each.line >= last.line ? each : last));
  return [`${result.name || "The result"} is `, element("output", {}, result.value.replaceAll("-", "−"))];
}

/** What a line that runs may have meant, and a button that writes it. */
function thought({ thought }) {
  if (!thought) return [];
  const { message, mend } = thought;
  return [element("p", {}, message, element("button", { type: "button", onclick: () => writeLine(mend) }, `Write ${mend.text.trim()}`))];
}

/** A button that gives sliders to values that are written in the program. */
function offers({ literals }) {
  if (!literals.length) return [];
  const names = literals.map(({ name }) => name).join(", ");
  return [element("button", { type: "button", onclick: () => moveOut(literals) }, `Sliders for ${names}`)];
}

function moveOut(literals) {
  const moved = new Set(literals.map(({ line }) => line));
  const rest = program.text.split("\n").filter((_, i) => !moved.has(i + 1));
  const given = Object.fromEntries(literals.map(({ name, value, data }) => [name, { value, data }]));
  program.text = rest.join("\n");
  change({ program: program.text, values: { ...state.values, ...given } });
}

const patience = new Map();

/** Remove the marks of an error. */
function calm(editor, status) {
  clearTimeout(patience.get(status));
  status.classList.remove("bad");
  for (const shown of [canvas, find("#descent")]) shown.classList.toggle("stale", programStatus.classList.contains("bad"));
  editor.mark(null);
}

/** Show an error after a moment without typing. */
function explain(error, editor, status) {
  clearTimeout(patience.get(status));
  patience.set(status, setTimeout(() => showError(error, editor, status), status.classList.contains("bad") ? 0 : PATIENCE));
}

function showError(error, editor, status) {
  status.classList.remove("good");
  status.classList.add("bad");
  for (const shown of [canvas, find("#descent")]) shown.classList.toggle("stale", programStatus.classList.contains("bad"));
  editor.mark(error);
  status.replaceChildren(error.message, ...mends(error, editor));
  find("#verdicts").replaceChildren();
  claims.annotate({});
  if (editor === claims) return;
  // what was computed from the text before the error would be read as if it belonged to this one
  program.annotate({});
  values.showGradients({});
  claimsStatus.replaceChildren();
}

/** Buttons that correct an error: the suggested name, or values for unknown names. */
function mends({ message, unknown = [], suggested = {}, mend = null }, editor) {
  const meant = /did you mean ([\w.]+)\?$/.exec(message)?.[1];
  const write = meant && element("button", { type: "button", class: "mend", onclick: () => editor.replace(meant) }, `Write ${meant}`);
  const add = unknown.length && editor === program && element("button", { type: "button", class: "mend", onclick: () => addValues(unknown, suggested) }, `Add ${unknown.join(", ")}`);
  const rewrite = mend && editor === program && element("button", { type: "button", class: "mend", onclick: () => writeLine(mend) }, `Write ${mend.text}`);
  return [rewrite || write, add].filter(Boolean);
}

function writeLine({ line, text }) {
  program.text = program.text.split("\n").map((each, i) => (i + 1 === line ? text : each)).join("\n");
  change({ program: program.text });
}

function addValues(names, suggested) {
  change({ values: { ...state.values, ...Object.fromEntries(names.map((name) => [name, { value: suggested[name] ?? 1, data: false }])) } });
}

/** One step of gradient descent, if the gradient of the current values is known. */
function stepDownhill() {
  const rate = number(find("#rate").value);
  if (slope.of !== state.values || !Number.isFinite(rate)) return;
  const moved = Object.entries(slope.gradients).map(([name, gradient]) => {
    const given = state.values[name];
    return [name, { ...given, value: combined(given.value, gradient, (x, g) => rounded(x - rate * g)) }];
  });
  const after = { ...state.values, ...Object.fromEntries(moved) };
  descent.note(state.values, slope.loss, after);
  change({ values: after });
}

find("#dataset select").addEventListener("change", ({ target }) => change({ dataset: target.value }));
find("#downhill").addEventListener("click", stepDownhill);

// ----- the header -----

async function start() {
  const examples = await (await fetch(new URL("examples.json", import.meta.url))).json();
  const choice = find("#examples");
  choice.append(...examples.map(({ title }, i) => element("option", { value: i }, title)));
  choice.addEventListener("change", () => {
    if (!choice.value) return;
    save(); // for the browser's back button
    show(examples[choice.value]);
    history_.keepNow(state);
    clearTimeout(saving); // it would overwrite the entry that was just left
    history.pushState(null, "", toFragment(state));
    choice.value = "";
  });
  show(fromFragment(location.hash) ?? examples[0]);
  history_.keepNow(state);
}

window.addEventListener("hashchange", () => {
  const there = fromFragment(location.hash);
  if (there && toFragment(there) !== toFragment(state)) show(there);
});

find("#link").addEventListener("click", async () => {
  save();
  try {
    await navigator.clipboard.writeText(location.href);
    notice("Link copied; it reproduces this page.");
  } catch {
    notice("The browser does not allow copying; the link is the address of this page.");
  }
});

find("#undo").addEventListener("click", () => history_.undo(state));
find("#redo").addEventListener("click", () => history_.redo());
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("textarea, input")) return;
  if (event.key === "z" && !event.shiftKey) history_.undo(state);
  else if (event.key === "y" || (event.key === "Z" && event.shiftKey)) history_.redo();
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) find(".status.bad .mend")?.click();
});

find("#export").addEventListener("click", async ({ target }) => {
  const form = target.closest("[data-form]")?.dataset.form;
  if (!form) return;
  find("#export").open = false;
  const answer = await ask("export", { ...question(), form });
  if (answer.error) return notice(answer.error.message);
  const url = URL.createObjectURL(new Blob([answer.text]));
  element("a", { href: url, download: answer.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
});
document.addEventListener("click", ({ target }) => {
  if (!target.closest("#export")) find("#export").open = false;
});

find("#whole").addEventListener("change", ({ target }) => canvas.classList.toggle("whole", target.checked));

start();
