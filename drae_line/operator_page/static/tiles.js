// The last strips as tiles, newest first, and the banner of the very last.

import { byId, checkText, clock, count, el, milliseconds, name, ratioText, shape, verdictText, verdictWord } from "./dom.js";

function slotText(strip) {
  if (strip.slot_ms === null) return "";
  const over = strip.slot_ms > strip.limit_ms ? `, over ${count(strip.limit_ms)}` : "";
  return milliseconds(strip.slot_ms) + over;
}

export function worst(strip) {
  const rank = (patch) => (patch.over && patch.ratio === null ? Infinity : (patch.ratio ?? -1));
  return strip.regions.reduce((best, patch) => (best && rank(best) >= rank(patch) ? best : patch), null);
}

/** What decided, in words: `R2 of vial 3, 1.42 times its threshold`. */
export function decided(strip) {
  if (strip.kind === "not_inspected") return strip.reason;
  const patch = worst(strip);
  if (!patch || patch.score === null) return "";
  const ratio = patch.ratio === null ? "over its threshold" : `${ratioText(patch)} times its threshold`;
  return `${strip.kind === "accepted" ? "highest: " : ""}${patch.region} of vial ${patch.vial}, ${ratio}`;
}

function regionRow(patch) {
  const filled = el("span", { class: "fill" });
  // A bar ends at twice the threshold.
  const length = patch.ratio === null ? (patch.over ? 100 : 0) : Math.min(100, Math.max(0, patch.ratio * 50));
  filled.style.width = `${length}%`;
  return el(
    "span", { class: patch.over ? "region over" : "region" },
    name(patch.region, { class: "label" }), el("span", { class: "bar" }, filled),
    el("span", { class: "value" }, ratioText(patch)),
  );
}

function tileOf(strip) {
  const over = strip.slot_ms !== null && strip.slot_ms > strip.limit_ms;
  return el(
    "button", { type: "button", class: `tile ${strip.kind}`, tabindex: "-1", "data-sequence": strip.sequence },
    el("span", { class: "word" }, shape(strip.kind), verdictWord(strip.kind)),
    el("span", { class: "name" }, name(strip.acquisition)),
    strip.kind === "not_inspected"
      ? el("span", { class: "reason" }, strip.reason)
      : el("span", { class: "regions" }, strip.regions.map(regionRow)),
    el("span", { class: "foot" }, el("span", {}, clock(strip.given)), el("span", { class: over ? "over" : "" }, slotText(strip))),
    el("span", { class: "check", hidden: true }),
  );
}

export function showLast(strip) {
  const banner = byId("last");
  banner.className = strip ? `last ${strip.kind}` : "last waiting";
  if (!strip) {
    banner.replaceChildren(el("p", { class: "nothing" }, "No strip yet"));
    return;
  }
  banner.replaceChildren(
    shape(strip.kind),
    el("p", { class: "word" }, verdictWord(strip.kind)),
    el(
      "div", { class: "facts" },
      el("p", { class: "name" }, name(strip.acquisition)),
      el("p", {}, [clock(strip.given), slotText(strip)].filter(Boolean).join(" · ")),
      el("p", {}, decided(strip)),
      strip.todo ? el("p", { class: "todo" }, strip.todo) : null,
    ),
  );
}

export class Tiles {
  constructor(open) {
    this.list = byId("tiles");
    this.open = open;
    this.limit = 40;
    this.strips = new Map(); // by sequence, of the tiles that are shown
    this.checks = {};
    this.waiting = []; // came while paused
    this.missed = { strips: 0, rejects: 0 };
    this.paused = false;
    this.list.addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) this.open(Number(tile.dataset.sequence));
    });
    this.list.addEventListener("focusin", (event) => this.enter(event.target.closest(".tile")));
  }

  get buttons() {
    return [...this.list.querySelectorAll(".tile")];
  }

  /** Sequences as they are shown, newest first. */
  get order() {
    return this.buttons.map((tile) => Number(tile.dataset.sequence));
  }

  get focused() {
    const tile = document.activeElement?.closest?.(".tile");
    return tile ? Number(tile.dataset.sequence) : null;
  }

  /** Another log, or more than can be followed: shown anew, paused or not. */
  replace(strips, limit) {
    const hadFocus = this.focused !== null;
    this.limit = limit;
    this.strips.clear();
    this.list.replaceChildren();
    this.follow();
    for (const strip of strips) this.put(strip);
    this.settle();
    if (hadFocus) this.focus(0);
  }

  add(strip) {
    if (!this.paused) {
      this.put(strip, true);
      this.settle();
      return;
    }
    this.waiting.push(strip);
    if (this.waiting.length > this.limit) this.waiting.shift();
    this.missed.strips += 1;
    this.missed.rejects += strip.kind === "accepted" ? 0 : 1;
    this.sayPaused();
  }

  put(strip, fresh = false) {
    this.strips.set(strip.sequence, strip);
    const tile = tileOf(strip);
    if (fresh) tile.classList.add("fresh");
    this.list.prepend(el("li", {}, tile));
    this.label(tile);
    while (this.list.children.length > this.limit) {
      const gone = this.list.lastElementChild;
      const hadFocus = gone.contains(document.activeElement);
      this.strips.delete(Number(gone.firstElementChild.dataset.sequence));
      gone.remove();
      if (hadFocus) this.list.lastElementChild.firstElementChild.focus({ preventScroll: true });
    }
  }

  /** Exactly one tile can be reached with Tab. */
  settle() {
    if (!this.list.querySelector('.tile[tabindex="0"]')) this.buttons[0]?.setAttribute("tabindex", "0");
  }

  enter(tile) {
    if (!tile) return;
    this.list.querySelector('.tile[tabindex="0"]')?.setAttribute("tabindex", "-1");
    tile.setAttribute("tabindex", "0");
  }

  check(checks) {
    this.checks = checks;
    for (const tile of this.buttons) this.label(tile);
  }

  label(tile) {
    const strip = this.strips.get(Number(tile.dataset.sequence));
    const found = this.checks[strip.sequence];
    const line = tile.querySelector(".check");
    const text = found ? checkText(found) : "";
    if (line.textContent !== text) line.textContent = text;
    line.hidden = !found;
    const said = [`Strip ${strip.acquisition}: ${verdictText(strip.kind)}`, decided(strip), clock(strip.given), text];
    const label = said.filter(Boolean).join(", ");
    if (tile.getAttribute("aria-label") !== label) tile.setAttribute("aria-label", label);
  }

  focus(index) {
    const { buttons } = this;
    if (!buttons.length) return;
    const tile = buttons[Math.min(Math.max(index, 0), buttons.length - 1)];
    tile.focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest" });
  }

  focusSequence(sequence) {
    const index = this.order.indexOf(sequence);
    if (index >= 0) this.focus(index);
    else this.focus(0);
  }

  move(key) {
    const { buttons } = this;
    const at = buttons.indexOf(document.activeElement);
    if (at < 0) {
      this.focus(Math.max(0, buttons.findIndex((tile) => tile.tabIndex === 0)));
      return;
    }
    const top = buttons[0].parentElement.offsetTop;
    const found = buttons.findIndex((tile) => tile.parentElement.offsetTop !== top);
    const columns = found < 0 ? buttons.length : found;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const to = key === "Home" ? 0 : key === "End" ? buttons.length - 1 : at + steps[key];
    // Down from the last row but one ends at the last tile, also where none lies right below.
    if (to >= 0 && (to < buttons.length || key === "ArrowDown")) this.focus(to);
  }

  pause() {
    this.paused = true;
    this.missed = { strips: 0, rejects: 0 };
    this.sayPaused();
  }

  follow() {
    this.paused = false;
    const { waiting } = this;
    this.waiting = [];
    for (const strip of waiting) this.put(strip);
    this.settle();
    this.sayPaused();
  }

  sayPaused() {
    const bar = byId("paused");
    const { strips, rejects } = this.missed;
    bar.hidden = !this.paused;
    bar.textContent = `Paused. ${count(strips)} new strip${strips === 1 ? "" : "s"} since, ${count(rejects)} rejected. Press P to follow.`;
    const button = byId("pause");
    button.setAttribute("aria-pressed", String(this.paused));
    button.firstChild.textContent = this.paused ? "Follow " : "Pause ";
  }
}
