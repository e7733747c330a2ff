// A strip, large: pictures with heatmaps, scores of all vials and regions, what to do, and the operator's check.

import { byId, checkText, clock, count, el, milliseconds, name, ratioText, shape, verdictWord } from "./dom.js";
import { decided } from "./tiles.js";

const RETRY_MS = 700;
// Longer side of a picture, pixels: no less, and no more where there are many.
const LEAST = 240;
const MANY = 300;
// Height of what surrounds the pictures.
const AROUND = 320;

export class Opened {
  /** Takes `checks()`, which gives all checks, and `check(strip, found)`, which sets one. */
  constructor({ checks, check, opened, closed, step }) {
    this.dialog = byId("opened");
    this.inside = this.dialog.querySelector(".inside");
    this.tellOpened = opened;
    this.checks = checks;
    this.setCheck = check;
    this.step = step;
    this.strip = null;
    this.heat = true;
    this.opacity = 75;
    this.asked = 0; // grows with every strip that is opened: late answers to earlier ones are dropped
    this.dialog.addEventListener("close", () => {
      this.asked += 1;
      const sequence = this.strip?.sequence;
      this.strip = null;
      closed(sequence);
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  async show(tile) {
    const asked = ++this.asked;
    this.strip = tile;
    this.draw(tile, null);
    if (!this.dialog.open) {
      this.dialog.showModal();
      this.dialog.querySelector('[data-does="close"]').focus();
      this.tellOpened();
    }
    const [status, whole] = await ask(`/strips/${tile.sequence}`);
    if (asked !== this.asked) return;
    if (status !== 200 || whole.acquisition !== tile.acquisition) {
      const why = status === 200 ? "A new log has begun; this strip is of the one before." : whole.why;
      this.dialog.querySelector(".scores").replaceChildren(el("p", { class: "why" }, why));
      return;
    }
    this.strip = whole;
    this.draw(whole, whole);
    if (whole.kind === "rejected") this.fetchPictures(whole.sequence, asked);
  }

  close() {
    this.dialog.close();
  }

  draw(strip, whole) {
    const body = el(
      "div", { class: strip.kind === "rejected" ? "body" : "body one" },
      el("div", { class: "shown" }, this.shown(strip)),
      el("div", { class: "scores" }, whole ? scores(whole) : el("p", {}, "Reading …")),
    );
    this.dialog.className = `opened ${strip.kind}`;
    const top = el(
      "div", { class: "top" },
      shape(strip.kind),
      el("p", { class: "word" }, verdictWord(strip.kind)),
      el("h2", { class: "name", id: "opened-title" }, name(strip.acquisition)),
      el("p", { class: "when" }, [clock(strip.given), strip.slot_ms === null ? "" : `slot ${milliseconds(strip.slot_ms)}`].filter(Boolean).join(" · ")),
    );
    const focus = this.dialog.contains(document.activeElement) ? document.activeElement.dataset.does : null;
    this.inside.replaceChildren(top, body, this.bottom(strip));
    this.drawCheck();
    if (this.dialog.open) this.dialog.querySelector(`[data-does="${focus ?? "close"}"]`)?.focus();
  }

  shown(strip) {
    if (strip.kind === "not_inspected") {
      return [el("p", { class: "why" }, strip.reason), el("p", { class: "todo" }, strip.todo)];
    }
    if (strip.kind === "accepted") return [el("p", { class: "waiting-pictures" }, "Pictures are kept of rejected strips only.")];
    return [el("p", { class: "waiting-pictures", role: "status" }, "Pictures are being written …")];
  }

  button(does, words, key, act, label = null) {
    const made = el("button", { type: "button", "data-does": does, "aria-label": label }, words ? `${words} ` : null, el("kbd", {}, key));
    made.addEventListener("click", act);
    return made;
  }

  bottom(strip) {
    const parts = [el("p", { class: "check", role: "status" })];
    if (strip.kind === "rejected") {
      const slider = el("input", { type: "range", min: 0, max: 100, value: this.opacity, "aria-label": "strength of the heatmap", "data-does": "opacity" });
      slider.addEventListener("input", () => {
        this.opacity = Number(slider.value);
        this.heat = true;
        this.drawHeat();
      });
      parts.push(el("label", {}, slider), this.button("heat", "Heatmap", "H", () => this.toggleHeat()));
    }
    if (strip.kind !== "accepted") {
      parts.push(
        this.button("good", "Good", "G", () => this.setCheck(strip, "good")),
        this.button("defective", "Defective", "D", () => this.setCheck(strip, "defective")),
        this.button("open", "Take back", "U", () => this.setCheck(strip, "open")),
      );
    }
    parts.push(
      this.button("newer", "", "←", () => this.step(-1), "newer strip"),
      this.button("older", "", "→", () => this.step(1), "older strip"),
      this.button("close", "Close", "Esc", () => this.close()),
    );
    return el("div", { class: "bottom" }, parts);
  }

  drawCheck() {
    if (!this.strip) return;
    const line = this.dialog.querySelector(".bottom .check");
    const found = this.checks()[this.strip.sequence];
    const text = this.strip.kind === "accepted" ? "" : found ? checkText(found) : "not checked yet";
    if (line.textContent !== text) line.textContent = text;
    const back = this.dialog.querySelector('[data-does="open"]');
    if (back) back.hidden = !found;
    for (const kind of ["good", "defective"]) {
      this.dialog.querySelector(`[data-does="${kind}"]`)?.setAttribute("aria-pressed", String(found === kind));
    }
  }

  async fetchPictures(sequence, asked) {
    for (let tries = 0; asked === this.asked; tries += 1) {
      const [status, answer] = await ask(`/pictures/${sequence}`);
      if (asked !== this.asked) return;
      const place = this.dialog.querySelector(".shown");
      if (status === 200 && answer.pictures) {
        this.drawPictures(place, sequence, answer.pictures);
        return;
      }
      if (status === 422) {
        place.replaceChildren(el("p", { class: "why" }, answer.why));
        return;
      }
      if (tries === 6) place.replaceChildren(el("p", { class: "waiting-pictures", role: "status" }, "The pictures are not there yet; the page goes on looking for them."));
      await new Promise((done) => setTimeout(done, RETRY_MS * (tries < 6 ? 1 : 3)));
    }
  }

  drawPictures(place, sequence, pictures) {
    const patches = pictures.reduce((sum, picture) => sum + picture.heatmaps.length, 0);
    const room = Math.min(window.innerHeight - AROUND, 0.78 * (place.clientWidth - 40));
    const longest = Math.max(LEAST, patches > 1 ? Math.min(room, MANY) : room);
    const figures = pictures.map((picture) => {
      const source = (file) => `/pictures/${sequence}/${file}`;
      const alt = `Vial ${picture.vial}, image ${picture.image}`;
      const [width, height] = picture.size;
      const whole = pictureWithHeat(source, picture, picture.heatmaps, [0, 0, width, height], longest, alt);
      const close = picture.heatmaps.map((heatmap) =>
        el("figure", {}, pictureWithHeat(source, picture, [heatmap], heatmap.box, longest, `${alt}, region ${heatmap.region}`),
          el("figcaption", {}, el("b", {}, name(heatmap.region)), `${ratioText({ ...heatmap, over: true })} times the threshold`)));
      return el("div", { class: "vial-row" }, el("figure", {}, whole, el("figcaption", {}, el("b", {}, `vial ${picture.vial}`), `image ${picture.image}`)), close);
    });
    place.replaceChildren(el("h3", {}, "Rejected patches; warm colours lie where strip and reconstruction differ"), el("div", { class: "pictures" }, figures));
    this.drawHeat();
  }

  toggleHeat() {
    this.heat = !this.heat;
    this.drawHeat();
  }

  drawHeat() {
    for (const picture of this.dialog.querySelectorAll(".over-picture")) picture.classList.toggle("bare", !this.heat);
    for (const heat of this.dialog.querySelectorAll(".heat")) heat.style.opacity = this.opacity / 100;
    this.dialog.querySelector('[data-does="heat"]')?.setAttribute("aria-pressed", String(this.heat));
  }
}

/** A part of a vial's picture, the box `[left, top, width, height]`, with heatmaps over it; its longer side so many pixels. */
function pictureWithHeat(source, picture, heatmaps, [left, top, width, height], longest, alt) {
  const scale = longest / Math.max(width, height, 1);
  const place = (element, x, y, wide, high) => {
    Object.assign(element.style, { left: `${x * scale}px`, top: `${y * scale}px`, width: `${wide * scale}px`, height: `${high * scale}px` });
    return element;
  };
  const image = place(el("img", { class: "vial", src: source(picture.file), alt }), -left, -top, ...picture.size);
  const heats = heatmaps.map((heatmap) => {
    const [x, y, wide, high] = heatmap.box;
    return place(el("img", { class: "heat", src: source(heatmap.file), alt: `Heatmap of region ${heatmap.region}` }), x - left, y - top, wide, high);
  });
  return place(el("div", { class: "over-picture" }, image, heats), 0, 0, width, height);
}

async function ask(place) {
  try {
    const answer = await fetch(place, { cache: "no-store" });
    return [answer.status, await answer.json()];
  } catch {
    return [0, { why: "The connection is lost." }];
  }
}

function scores(strip) {
  const parts = [];
  if (strip.kind === "not_inspected") {
    parts.push(el("h3", {}, "Detail"), el("p", {}, name(strip.detail)));
  } else {
    const head = el("tr", {}, el("td"), strip.grid[0]?.map((_, vial) => el("th", { scope: "col" }, `vial ${vial}`)));
    const rows = strip.grid.map((patches) =>
      el("tr", {}, el("th", { scope: "row" }, name(patches[0].region), el("small", {}, `threshold ${patches[0].threshold.toFixed(4)}`)),
        patches.map((patch) => patch.score === null ? el("td", {}, "–")
          : el("td", { class: patch.over ? "over" : "" }, `${patch.over ? "✕ " : ""}${ratioText(patch)}`, el("small", {}, patch.score.toFixed(4), strip.images.length > 1 ? ` ${patch.image}` : "")))));
    const over = strip.rejected ? `${count(strip.rejected)} patch${strip.rejected === 1 ? "" : "es"} over the threshold; ${decided(strip)}` : decided(strip);
    parts.push(
      el("h3", {}, "Score over threshold, and below it the score"),
      el("table", { class: "grid" }, el("thead", {}, head), el("tbody", {}, rows)),
      el("p", { class: "note" }, `${over}. Above 1 a patch is rejected${strip.images.length > 1 ? "; the greatest of all images is shown" : ""}.`),
    );
  }
  const stages = Object.entries(strip.milliseconds).map(([stage, value]) => `${stage} ${milliseconds(value)}`).join(", ");
  const facts = [["number in the log", count(strip.sequence)], ["folder", strip.folder], ["times", stages], ["deciding patch", strip.deciding],
    ["model", strip.model_digest], ["thresholds", strip.thresholds_digest], ...Object.entries(strip.frames_sha256)];
  parts.push(el("details", {}, el("summary", {}, "Where this verdict comes from"), el("dl", {}, facts.filter(([, value]) => value).map(([title, value]) => [el("dt", {}, name(title)), el("dd", {}, el("code", {}, name(String(value))))]))));
  return parts;
}
