/* Elements, made in one call. */

/** element("button", {type: "button", class: "fix", onclick: f}, "Add", ...) */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** An SVG that the server drew, as an element of this page; null for anything else. */
export function picture(text) {
  const unstyled = text.replace(/^(<svg[^>]*?) style="[^"]*"/, "$1"); // the style sheet says how wide it is
  // the parser for HTML takes half the time of the one for XML
  const svg = new DOMParser().parseFromString(unstyled, "text/html").querySelector("svg");
  return svg && document.adoptNode(svg);
}

/** A formula of the server's as an element of this page: {math, text}. */
export function math({ math, text }) {
  const source = `<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow>${math}</mrow></math>`;
  const parsed = new DOMParser().parseFromString(source, "application/xml").documentElement;
  if (parsed.localName !== "math") return document.createTextNode(text);
  parsed.setAttribute("alttext", text);
  return document.adoptNode(parsed);
}

let hiding = 0;

/** A few words that pass. */
export function notice(text) {
  const shown = document.getElementById("notice");
  shown.textContent = text;
  shown.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => shown.classList.remove("shown"), 2500);
}
