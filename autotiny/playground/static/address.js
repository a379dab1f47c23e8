/* The state of the page in its address: after #, where no server sees it, so that a link reproduces it. */

import { read, write } from "./numbers.js";

/** A page with nothing on it. */
export const EMPTY = { question: "", program: "", claims: "", view: "", about: "", values: {} };

const TEXTS = ["question", "program", "claims", "view", "about"];

/** "#program=a%20*%20b&let.a=2&data.b=3" */
export function toFragment(state) {
  const texts = TEXTS.filter((key) => state[key]).map((key) => [key, state[key]]);
  const values = Object.entries(state.values).map(([name, { value, data }]) => [`${data ? "data" : "let"}.${name}`, write(value)]);
  return "#" + [...texts, ...values].map(([key, text]) => `${encoded(key)}=${encoded(text)}`).join("&");
}

/** The state that a fragment says; null where it says none. */
export function fromFragment(fragment) {
  const state = { ...EMPTY, values: {} };
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const [key, text] = part.split(/=(.*)/s).map(decoded);
    const [kind, name] = key.split(/\.(.*)/s);
    if (TEXTS.includes(key)) state[key] = text ?? "";
    const value = (kind === "let" || kind === "data") && name ? read(text ?? "") : null;
    if (value !== null) state.values[name] = { value, data: kind === "data" };
  }
  return state.program ? state : null;
}

/* Some signs need no code in a fragment; without theirs a link stays readable. */
const encoded = (text) => encodeURIComponent(text).replace(/%(2B|2C|3B|40|2F|3A|3D)/g, decodeURIComponent);

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
