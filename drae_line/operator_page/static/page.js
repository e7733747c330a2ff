// Brings connection, strips, figures and keys together.

import { byId, el, verdictText } from "./dom.js";
import { showFigures, showLine } from "./figures.js";
import { Live } from "./live.js";
import { Opened } from "./opened.js";
import { decided, showLast, Tiles } from "./tiles.js";

const TOLD_MS = 4000;
let state = null;
let behind = 0; // seconds that this machine's clock is behind the server's
let last = null;
let assets = "";
let telling = 0;

const tiles = new Tiles((sequence) => opened.show(tiles.strips.get(sequence)));
const opened = new Opened({
  checks: () => state?.checks ?? {},
  check: setCheck,
  step: stepOpened,
  opened: placeMessages,
  closed(sequence) {
    placeMessages();
    if (sequence) tiles.focusSequence(sequence);
  },
});
const live = new Live({
  strips({ tiles: strips, limit }) {
    tiles.replace(strips, limit);
    last = strips.at(-1) ?? null;
    showLast(last);
  },
  strip(strip, missed) {
    tiles.add(strip);
    last = strip;
    showLast(strip);
    if (strip.kind !== "accepted") byId("said").textContent = `${missed ? "Missed: " : ""}${verdictText(strip.kind)}, strip ${strip.acquisition}, ${decided(strip)}`;
  },
  state(values) {
    if (assets && values.assets !== assets) location.reload();
    ({ assets } = values);
    state = values;
    behind = values.now - Date.now() / 1000;
    showLine(state, values.now);
    if (!state.loaded) return;
    showFigures(state);
    tiles.check(state.checks);
    if (opened.isOpen) opened.drawCheck();
    const problem = byId("problem");
    problem.hidden = !state.problem;
    if (problem.textContent !== state.problem) problem.textContent = state.problem;
    document.title = last ? `${verdictText(last.kind)} ${last.acquisition}` : "Line inspection";
  },
  lost: () => showLost("Connection lost, trying again", `What you see is from ${new Date().toLocaleTimeString("en-GB")}.`),
  denied: () => showLost("The token is needed again", "Load this page again and give it."),
  back() {
    byId("lost").hidden = true;
    document.body.classList.remove("stale");
  },
});

/** What lies outside a dialog that is open can be neither seen nor heard. */
function placeMessages() {
  const place = document.querySelector("dialog[open]") ?? document.body;
  place.prepend(byId("lost"));
  place.append(byId("said"), byId("told"));
}

function showLost(words, more) {
  const bar = byId("lost");
  if (bar.firstChild?.textContent === words && !bar.hidden) return;
  bar.replaceChildren(words, el("small", {}, more));
  bar.hidden = false;
  document.body.classList.add("stale");
}

function tell(words) {
  byId("told").textContent = words;
  clearTimeout(telling);
  telling = setTimeout(() => (byId("told").textContent = ""), TOLD_MS);
}

async function setCheck(strip, found) {
  if (strip.kind === "accepted") {
    tell("Only rejected strips are checked.");
    return;
  }
  try {
    const answer = await fetch("/checks", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sequence: strip.sequence, acquisition: strip.acquisition, found }),
    });
    const values = await answer.json();
    const words = { good: "checked: good", defective: "checked: defective", open: "check taken back" }[found];
    tell(answer.ok ? `${strip.acquisition}: ${words}` : values.why);
  } catch {
    tell("The check was not kept: the connection is lost.");
  }
}

function stepOpened(step) {
  const { order } = tiles;
  const to = order[order.indexOf(opened.strip.sequence) + step];
  if (to !== undefined) opened.show(tiles.strips.get(to));
  else tell(step < 0 ? "This is the newest strip shown." : "This is the oldest strip shown.");
}

function togglePause() {
  if (tiles.paused) tiles.follow();
  else tiles.pause();
}

function showKeys() {
  byId("keys").showModal();
  placeMessages();
}

const FINDINGS = { g: "good", d: "defective", u: "open" };

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const keys = byId("keys");
  if (keys.open) {
    if (key === "?") keys.close();
    return;
  }
  const arrow = /^(Arrow|Home|End)/.test(key);
  // A slider keeps its own arrows.
  if (arrow && event.target.matches?.("input")) return;
  if (opened.isOpen) {
    if (key === "ArrowLeft" || key === "ArrowRight") stepOpened(key === "ArrowLeft" ? -1 : 1);
    else if (key === "h") opened.toggleHeat();
    else if (FINDINGS[key]) setCheck(opened.strip, FINDINGS[key]);
    else return;
    event.preventDefault();
    return;
  }
  if (arrow) tiles.move(key);
  else if (key === "p") togglePause();
  else if (key === "?") showKeys();
  else if (FINDINGS[key]) {
    const strip = tiles.strips.get(tiles.focused);
    if (strip) setCheck(strip, FINDINGS[key]);
    else tell("Choose a strip first: arrow keys or mouse.");
  } else return;
  event.preventDefault();
}

document.addEventListener("keydown", onKey);
byId("pause").addEventListener("click", togglePause);
byId("help").addEventListener("click", showKeys);
byId("keys").addEventListener("close", placeMessages);
setInterval(() => state && showLine(state, Date.now() / 1000 + behind), 1000);
live.connect();
