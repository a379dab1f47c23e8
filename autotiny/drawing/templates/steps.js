"use strict";
const film = document.querySelector(".film");
const slider = film.querySelector("input"), told = film.querySelector("output");
const announced = film.querySelector(".announced"), play = film.querySelector("[data-go=play]");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const MILLISECONDS = 2200, LARGEST = 1.8;
const scenes = {};
let scene, now = 0, timer = 0;

// ----- what the page holds -----
// When each card is computed, its gradient begun and each way taken, by the number of the step.
function readScene(root) {
  const steps = [...root.querySelectorAll(".steps > li")];
  const computed = {}, graded = {}, passed = {};
  steps.forEach((step, k) => {
    const { active, receiver, edge, pass } = step.dataset;
    if (pass === "forward") computed[active] = k;
    else graded[receiver] ??= k;
    if (edge) passed[edge] = k;
  });
  const named = (kind) => [...root.querySelectorAll(`.stage g.${kind}`)].map((group) => [group, group.classList.item(group.classList.length - 1)]);
  const nodes = named("node").map(([group, name]) => [group, name, gradientOf(group)]), edges = named("edge");
  const stage = root.querySelector(".stage"), svg = stage.querySelector("svg");
  const turn = steps.findIndex((step) => step.dataset.pass === "backward");
  return { root, stage, svg, size: svg.viewBox.baseVal, steps, computed, graded, passed, nodes, edges, turn };
}

// The number of a card's gradient, which is replaced while the gradient grows; null where there are several numbers.
function gradientOf(group) {
  const [, ...numbers] = group.querySelectorAll(".gradient text"); // after the word "grad"
  return numbers.length === 1 ? { text: numbers[0], whole: numbers[0].textContent } : null;
}

// ----- one step -----
function show(k, speak = true) {
  const last = scene.steps.length - 1;
  now = Math.max(0, Math.min(k, last));
  const step = scene.steps[now], { active, receiver, edge, pass } = step.dataset, backward = pass === "backward";
  film.classList.toggle("backward", backward);
  for (const other of scene.steps) other.classList.toggle("now", other === step);
  const totals = totalsSoFar();
  for (const [group, name, gradient] of scene.nodes) {
    const graded = scene.graded[name] <= now;
    light(group, {
      waiting: scene.computed[name] > now, resting: backward && !graded, ungraded: !graded,
      active: name === active, receiving: backward && name === receiver,
    });
    if (gradient) gradient.text.textContent = totals[name] ?? gradient.whole;
  }
  for (const [group, name] of scene.edges) {
    const to = endOf(name);
    light(group, {
      waiting: scene.computed[to] > now, passed: scene.passed[name] <= now,
      active: backward ? name === edge : to === active,
    });
  }
  tell(step, backward, speak);
  tellAround();
  for (const name of ["first", "back"]) film.querySelector(`[data-go=${name}]`).disabled = now === 0;
  for (const name of ["on", "last"]) film.querySelector(`[data-go=${name}]`).disabled = now === last;
  bringIntoView([active, receiver].flatMap((card) => scene.nodes.filter(([, name]) => name === card)).map(([group]) => group));
}

// A page around this one is told the moment, and may ask for one: a picture that takes another's place goes on from there.
function tellAround() {
  if (parent !== window) parent.postMessage({ moment: Number(scene.steps[now].dataset.moment) }, "*");
}

function goTo(moment) {
  show(Math.max(0, scene.steps.findLastIndex((step) => Number(step.dataset.moment) <= moment)), false);
}

function light(group, looks) {
  for (const [look, on] of Object.entries(looks)) group.classList.toggle(look, Boolean(on));
}

// Gradients that are not complete yet.
function totalsSoFar() {
  const totals = {};
  for (const step of scene.steps.slice(0, now + 1)) {
    if (step.dataset.total) totals[step.dataset.receiver] = step.dataset.total;
  }
  return totals;
}

// e3-5-0 and es1-n5 both lead to the card n5.
function endOf(edge) {
  const to = edge.split("-")[1];
  return /^\d/.test(to) ? `n${to}` : to;
}

function tell(step, backward, speak) {
  const title = step.querySelector("h2").textContent, count = scene.steps.length, turn = scene.turn < 0 ? count : scene.turn;
  told.textContent = backward ? `backward ${now - turn + 1} of ${count - turn}` : `forward ${now + 1} of ${turn}`;
  slider.value = now;
  slider.setAttribute("aria-valuetext", `${told.textContent}: ${title}`);
  const lines = [...step.querySelectorAll("dt")].map((what) => `${what.textContent}: ${what.nextElementSibling.firstChild.textContent}`);
  if (speak) announced.textContent = [title, ...lines].join(". ");
}

// Scrolls to these cards, or to the last of them where there is no room for all.
function bringIntoView(groups) {
  const frame = scene.stage.getBoundingClientRect(), boxes = groups.map((group) => group.getBoundingClientRect());
  const span = (low, high, some) => [Math.min(...some.map((box) => box[low])), Math.max(...some.map((box) => box[high]))];
  const fits = (some) => {
    const [left, right] = span("left", "right", some), [top, bottom] = span("top", "bottom", some);
    return right - left <= frame.width && bottom - top <= frame.height;
  };
  const shown = boxes.length && fits(boxes) ? boxes : boxes.slice(-1);
  if (!shown.length) return;
  const [left, right] = span("left", "right", shown), [top, bottom] = span("top", "bottom", shown);
  scene.stage.scrollTo({
    left: scene.stage.scrollLeft + (left + right) / 2 - frame.left - frame.width / 2,
    top: scene.stage.scrollTop + (top + bottom) / 2 - frame.top - frame.height / 2,
    behavior: still.matches ? "auto" : "smooth",
  });
}

// A graph that fits is as large as the room allows; one that does not keeps its size, and is scrolled.
function fit() {
  const room = Math.min((scene.stage.clientWidth - 32) / scene.size.width, (scene.stage.clientHeight - 32) / scene.size.height);
  const scale = room < 0.85 ? 1 : Math.min(room, LARGEST);
  scene.svg.style.width = `${scene.size.width * scale}px`;
}

// ----- groups -----
// Shows the picture with another group open, at the same moment.
function enter(name) {
  const moment = scene ? Number(scene.steps[now].dataset.moment) : -1;
  for (const [other, { root }] of Object.entries(scenes)) root.hidden = other !== name;
  scene = scenes[name];
  slider.max = scene.steps.length - 1;
  fit();
  goTo(moment);
}

function openGroup(group) {
  pause();
  const name = group.dataset.opens;
  enter(name);
  scene.stage.focus();
  const box = scene.stage.querySelector(`.cluster.${name}`);
  if (box && box.getBoundingClientRect().height <= scene.stage.clientHeight) bringIntoView([box]);
  announced.textContent = `${scene.root.dataset.title} is open`;
}

function closeGroup() {
  pause();
  const { title, scene: closed, parent } = scene.root.dataset;
  enter(parent);
  const group = scene.nodes.find(([, name]) => name === closed);
  (group ? group[0] : scene.stage).focus();
  announced.textContent = `${title} is closed`;
}

// ----- playing -----
function pause() {
  clearInterval(timer);
  timer = 0;
  film.classList.remove("playing");
  play.setAttribute("aria-label", "Play");
}

function resume() {
  if (now === scene.steps.length - 1) show(0);
  film.classList.add("playing");
  play.setAttribute("aria-label", "Pause");
  timer = setInterval(() => {
    show(now + 1);
    if (now === scene.steps.length - 1) pause();
  }, MILLISECONDS);
}

const GO = { first: () => 0, back: () => now - 1, on: () => now + 1, last: () => scene.steps.length - 1 };
const KEYS = { ArrowLeft: "back", ArrowDown: "back", ArrowRight: "on", ArrowUp: "on", Home: "first", End: "last", " ": "play" };

function act(name) {
  if (name === "play" && !timer) return resume();
  pause();
  if (name !== "play") show(GO[name]());
}

// ----- the page comes alive -----
film.addEventListener("click", (event) => {
  const button = event.target.closest("[data-go]"), group = event.target.closest("[data-opens]");
  if (button) act(button.dataset.go);
  else if (group) openGroup(group);
  else if (event.target.closest("[data-close]")) closeGroup();
});
slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const group = event.target.closest("[data-opens]");
  if (group && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    openGroup(group);
  } else if (event.key === "Escape" && scene.root.dataset.scene) {
    closeGroup();
  } else if (event.key in KEYS && !(event.key === " " && event.target.closest("button"))) { // a button has its own
    event.preventDefault();
    act(KEYS[event.key]);
  }
});
addEventListener("message", ({ source, data }) => { if (source === parent && Number.isInteger(data?.moment)) goTo(data.moment); });
addEventListener("resize", () => { fit(); show(now, false); });

for (const root of film.querySelectorAll(".scene")) {
  scenes[root.dataset.scene] = readScene(root);
  root.querySelector(".steps").classList.add("one");
}
for (const { nodes } of Object.values(scenes)) {
  for (const [group, name] of nodes) {
    if (!(name in scenes) || !name) continue;
    group.dataset.opens = name;
    group.tabIndex = 0;
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", `Open ${scenes[name].root.dataset.title}`);
    group.closest("svg").setAttribute("role", "group"); // an image hides what is in it
  }
}
film.querySelector(".controls").hidden = false;
enter("");
