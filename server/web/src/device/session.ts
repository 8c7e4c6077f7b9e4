// Drives the session: the rules say what to do next, the steps do it, and everything that may change that wakes it.

import type { Connection } from "./contract";
import type { Rules } from "./rules";
import type { Effect, Event, Steps } from "./steps";
import type { CallError } from "./transport";

/** A round is made at least so often. */
const ANYWAY_MS = 60_000;

export class Session {
  private ended = false;
  private cutWait: (() => void) | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private revoked = false;
  private state: Connection = { is: "fine", since_ms: Date.now() };
  private settle!: () => void;
  /** The first round came to its end, or can't go on now. */
  readonly settled = new Promise<void>((resolve) => (this.settle = resolve));

  constructor(
    private readonly rules: Rules,
    private readonly steps: Steps,
    private readonly connectionChanged: () => void,
    /** This device was shut out, and there is nothing more to do. */
    private readonly shutOut: () => void,
  ) {
    rules.ask("begin_session");
  }

  begin(): void {
    this.timer = setInterval(() => this.wake(), ANYWAY_MS);
    addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.seen);
    this.wake();
  }

  end(): void {
    this.ended = true;
    if (this.timer) clearInterval(this.timer);
    removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.seen);
    this.cutWait?.();
  }

  connection(): Connection {
    return this.state;
  }

  /** What a request came to: null where it was answered. */
  heard(error: CallError | null): void {
    if (error === null) this.stand("fine");
    else if (error.status === null || error.status >= 500) this.stand(navigator.onLine ? "server_silent" : "no_network");
  }

  private stand(is: Connection["is"]): void {
    if (this.state.is === is) return;
    this.state = { is, since_ms: Date.now() };
    this.connectionChanged();
  }

  private readonly seen = () => {
    if (document.visibilityState === "visible") this.wake();
  };

  /** While a step is under way there is nothing to do: the rules keep in mind that they were woken. */
  readonly wake = (): void => {
    if (this.ended) return;
    if (this.cutWait) return this.cutWait();
    const effects = this.step({ event: "wake" });
    if (effects.length > 0) this.drive(effects).catch(this.stumbled).finally(this.settle);
  };

  /** A fault of the store: it is said where it can be seen, and the next wake begins anew. */
  private readonly stumbled = (error: unknown) => {
    console.error(error);
    if (!this.ended) this.rules.ask("begin_session");
  };

  private step(event: Event): Effect[] {
    return this.rules.ask("step", event);
  }

  private async drive(effects: Effect[]): Promise<void> {
    for (;;) {
      const effect = effects.pop();
      if (!effect || this.ended) return;
      if (effect.effect === "rest") return this.rest();
      if (effect.effect === "pause") {
        if (this.revoked) this.shutOut();
        return this.stand(this.revoked ? "revoked" : "paused");
      }
      const event = effect.effect === "wait" ? await this.wait(effect.ms ?? 0) : await this.steps.perform(effect);
      if (this.steps.advanced) this.step({ event: "advanced" });
      this.steps.advanced = false;
      // On its key alone the server answers none but a revoked device.
      this.revoked ||= event.event === "revoked" || (effect.effect === "deliver" && event.event === "synced");
      effects = this.step(event);
    }
  }

  private async rest(): Promise<void> {
    this.stand("fine");
    await this.rules.change<string[]>("free_photos", [], (change, freed) => {
      for (const sha256 of freed) void change.objectStore("photos").delete(sha256);
    });
  }

  /** Waits so long, or until there is a reason to go on. */
  private wait(ms: number): Promise<Event> {
    this.settle();
    return new Promise((resolve) => {
      const end = (event: string) => {
        clearTimeout(timer);
        this.cutWait = null;
        resolve({ event });
      };
      const timer = setTimeout(() => end("time_up"), ms);
      this.cutWait = () => end("wake");
    });
  }
}
