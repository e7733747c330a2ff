// Elements and words. Whatever comes from outside becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) made.append(child);
  return made;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

/** A name from outside, kept apart from the direction in which the words around it are read. */
export const name = (text, attributes = {}) => el("bdi", attributes, text);

export const shape = (kind) =>
  svg("svg", { class: "shape", "aria-hidden": "true" }, svg("use", { href: `#shape-${kind}` }));

export const WORDS = { accepted: ["ACCEPT"], rejected: ["REJECT"], not_inspected: ["REJECT:", "NOT INSPECTED"] };

/** The verdict in words, its second part smaller. */
export function verdictWord(kind) {
  const [first, more] = WORDS[kind];
  return [el("span", {}, more ? `${first} ` : first), more ? el("span", { class: "more" }, more) : null];
}

export const verdictText = (kind) => WORDS[kind].join(" ");

const whole = new Intl.NumberFormat("en");
export const count = (value) => whole.format(value);
export const milliseconds = (value) => `${whole.format(Math.round(value))} ms`;
export const share = (part, of) => `${(of ? (100 * part) / of : 0).toFixed(1)} %`;

/** Score over threshold; none where the threshold is 0 or less and the score above it. */
export function ratioText(patch) {
  if (patch.score === null) return "–";
  if (patch.ratio === null) return "over";
  // 1.00 would hide that a score is just over its threshold, or just under it.
  const near = patch.ratio.toFixed(2);
  if (near === "1.00" && patch.ratio !== 1) return patch.over ? "> 1" : "< 1";
  return patch.ratio < 100 ? near : whole.format(Math.round(patch.ratio));
}

export const checkText = (found) => (found === "good" ? "checked: good" : "checked: defective");

export function clock(seconds) {
  const date = new Date(seconds * 1000);
  const time = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString("sv")} ${time}`;
}

export function ago(seconds) {
  const steps = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const past = Math.max(0, Math.floor(seconds));
  if (past < 2) return "just now";
  const [length, unit] = steps.find(([length]) => past >= length) ?? steps[3];
  const number = Math.floor(past / length);
  return `${count(number)} ${unit}${number === 1 ? "" : "s"} ago`;
}
