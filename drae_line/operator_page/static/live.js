// The connection: every event, an id to go on from, and a new attempt each second when it is lost.

const RETRY_MS = 1000;
// The server speaks every two seconds; a cable that was pulled says nothing.
const SILENT_MS = 7000;

export class Live {
  /** Takes functions `strips`, `strip`, `state` for what comes, `lost` and `back`, and `denied` where a token is needed. */
  constructor(told) {
    this.told = told;
    this.last = "";
    this.isLost = false;
    this.source = null;
    setInterval(() => this.source && performance.now() - this.heard > SILENT_MS && this.lose(), 1000);
  }

  connect() {
    this.heard = performance.now();
    this.source = new EventSource(`/live?after=${encodeURIComponent(this.last)}`);
    for (const kind of ["strips", "strip", "state"]) {
      this.source.addEventListener(kind, (event) => this.hear(kind, event));
    }
    this.source.onerror = () => this.lose();
  }

  hear(kind, event) {
    this.heard = performance.now();
    const missed = this.isLost;
    if (kind !== "state") this.last = event.lastEventId;
    // The state comes last of what was missed: only then is the page up to date.
    if (kind === "state" && this.isLost) {
      this.isLost = false;
      this.told.back();
    }
    this.told[kind](JSON.parse(event.data), missed);
  }

  lose() {
    if (!this.source) return;
    this.source.close();
    this.source = null;
    if (!this.isLost) {
      this.isLost = true;
      this.told.lost();
    }
    setTimeout(() => this.retry(), RETRY_MS);
  }

  async retry() {
    if (this.source) return;
    try {
      const answer = await fetch("/alive", { cache: "no-store", signal: AbortSignal.timeout(SILENT_MS) });
      if (answer.status === 401) this.told.denied();
      if (answer.ok) {
        this.connect();
        return;
      }
    } catch {
      // Not there yet.
    }
    setTimeout(() => this.retry(), RETRY_MS);
  }
}
