/* The state of the page in its address, after #, which is not sent to a server; a link reproduces it. */

import { read, write } from "./numbers.js";

/** The state of an empty page. */
export const EMPTY = { question: "", program: "", claims: "", dataset: "", view: "", about: "", values: {} };

const TEXTS = ["question", "program", "claims", "dataset", "view", "about"];

/** "#program=a%20*%20b&let.a=2&data.b=3" */
export function toFragment(state) {
  const texts = TEXTS.filter((key) => state[key]).map((key) => [key, state[key]]);
  const values = Object.entries(state.values).map(([name, { value, data }]) => [`${data ? "data" : "let"}.${name}`, write(value)]);
  return "#" + [...texts, ...values].map(([key, text]) => `${encoded(key)}=${encoded(text)}`).join("&");
}

/** The state in a fragment; null where it has none. */
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

/* Some characters need no percent-encoding in a fragment, which keeps a link readable. */
const encoded = (text) => encodeURIComponent(text).replace(/%(2B|2C|3B|40|2F|3A|3D)/g, decodeURIComponent);

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
