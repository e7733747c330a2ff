// Counts, slot times, trend and drift.

import { ago, byId, clock, count, el, milliseconds, name, shape, share, svg } from "./dom.js";

const put = (id, ...children) => byId(id).querySelector("div").replaceChildren(...children.flat().filter(Boolean));
const row = (title, ...cells) => el("tr", {}, el("th", { scope: "row" }, title), cells);
const cell = (text, big = false) => el("td", { class: big ? "big" : "" }, text);

/** Whether the line runs, how long ago its last verdict was, and what it said last. */
export function showLine(state, now) {
  const { line, event } = state;
  if (!state.loaded) return;
  const since = state.newest_given === null ? "No verdict yet." : `Last verdict ${ago(now - state.newest_given)}.`;
  const bar = byId("line");
  bar.className = `line ${line.state}`;
  const words = [el("strong", {}, line.text), el("span", {}, [since, line.more].filter(Boolean).join(" "))];
  if (event) {
    words.push(el("small", { class: event.warning ? "warning" : "" }, `${clock(event.given)} `, name(event.text)));
  }
  bar.replaceChildren(...words);
}

export function showFigures(state) {
  showCounts(state.counts, state.rate);
  showSlots(state.slots);
  showTrend(state.trend);
  showDrift(state.drift);
  const alert = byId("moved");
  const text = ["moved", "few_accepted"].includes(state.drift.state) ? state.drift.text : "";
  alert.hidden = !text;
  if (alert.textContent !== text) alert.textContent = text;
}

function showCounts({ total, last }, rate) {
  const rows = [["inspected", "inspected"], ["accepted", "accepted"], ["rejected", "rejected"], ["not inspected", "not_inspected"]];
  put(
    "counts",
    el(
      "table", {},
      el("thead", {}, el("tr", {}, el("td", {}, `${count(rate)} a minute`), el("th", { scope: "col" }, "all"), el("th", { scope: "col" }, `last ${count(last.strips)}`))),
      el("tbody", {}, rows.map(([title, key]) => row(title, cell(count(total[key]), true), cell(count(last[key]), true)))),
    ),
  );
}

function showSlots(slots) {
  if (!slots) {
    put("slots", el("p", { class: "words" }, "No slot yet."));
    return;
  }
  put(
    "slots",
    el(
      "table", {},
      el("thead", {}, el("tr", {}, el("td", {}, `last ${count(slots.slots)} slots`), el("td"))),
      el("tbody", {},
        row("half of them within", cell(milliseconds(slots.p50), true)),
        row("99 of 100 within", cell(milliseconds(slots.p99), true)),
        row("longest", cell(milliseconds(slots.max), true)),
        row(`over ${milliseconds(slots.limit)}`, cell(`${count(slots.over)} (${slots.over_share})`, true)),
      ),
    ),
  );
}

const PARTS = [
  ["defective", "rejected, defective"], ["unchecked", "rejected, not yet checked"], ["good", "rejected, but good: false reject"],
  ["not_inspected", "rejected, not inspected"],
];
const WIDTH = 360, HEIGHT = 130, LEFT = 52, TOP = 8, BOTTOM = 110, BARS = 20;

const part = (kind, place) =>
  svg("rect", { class: `part-${kind}`, "stroke-width": 1, ...(kind === "unchecked" ? { fill: "url(#hatch)" } : {}), ...place });

function hatch() {
  return svg(
    "defs", {},
    svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 6, height: 6, fill: "#fff" }), svg("rect", { width: 2.5, height: 6, fill: "#a82f06" })),
  );
}

function showTrend(trend) {
  // Shares of a whole block, so that the newest one grows as its strips come.
  const rejected = (block) => PARTS.reduce((sum, [key]) => sum + block[key], 0) / trend.block;
  const highest = Math.max(0, ...trend.blocks.map(rejected));
  const top = [0.05, 0.1, 0.2, 0.3, 0.5, 1].find((step) => highest <= step);
  const y = (value) => BOTTOM - (value / top) * (BOTTOM - TOP);
  const step = (WIDTH - LEFT) / (BARS + 1);
  const bars = trend.blocks.map((block, index) => {
    let below = 0;
    return PARTS.filter(([key]) => block[key]).map(([key]) => {
      const from = below;
      below += block[key] / trend.block;
      return part(key, { x: LEFT + index * step + 2, width: step - 4, y: y(below), height: y(from) - y(below) });
    });
  });
  const grid = [top, top / 2, 0].map((value) => [
    svg("line", { class: value ? "grid" : "axis", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, `${Number((100 * value).toFixed(1))} %`),
  ]);
  const chart = svg(
    "svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Rejected strips in each ${trend.block}. ${trend.text}` },
    hatch(), grid, bars, svg("text", { x: LEFT, y: HEIGHT - 4 }, `in each ${trend.block} strips, the newest on the right`),
  );
  const legend = el("ul", { class: "legend" }, PARTS.map(([key, words]) =>
    el("li", {}, svg("svg", { viewBox: "0 0 26 20", "aria-hidden": "true" }, part(key, { x: 1, y: 1, width: 24, height: 18 })), words)));
  put("trend", trend.blocks.length ? [chart, legend] : [], el("p", { class: "words" }, trend.text));
}

const DRIFT_SHAPES = { as_trained: "accepted", moved: "not_inspected", few_accepted: "not_inspected" };

function showDrift(drift) {
  const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  const regions = drift.regions.map((one) =>
    el("tr", { class: one.state === "moved" ? "moved-region" : "" },
      el("th", { scope: "row" }, name(one.region)),
      cell(one.state === "moved" ? `moved ${one.up ? "up" : "down"}` : one.state === "too_few" ? "too few" : "as trained"),
      cell(number(one.index, 2)), cell(number(one.statistic, 2)), cell(one.p_value !== null && one.p_value < 0.001 ? "< .001" : number(one.p_value, 3))));
  const head = ["", "", "PSI", "KS", "p"].map((text) => (text ? el("th", { scope: "col" }, text) : el("td")));
  put(
    "drift",
    el("p", { class: `said ${drift.state}` }, DRIFT_SHAPES[drift.state] ? shape(DRIFT_SHAPES[drift.state]) : null, name(drift.text)),
    regions.length ? el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, regions)) : null,
  );
}
