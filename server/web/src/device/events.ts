// The server's word that something happened: a stream that only wakes the session. Without it there is a round a minute.

import type { Tokens } from "./tokens";
import type { Transport } from "./transport";

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
/** The stream speaks every 15 s or so; it is asked for anew once a day at the latest. */
const DAY_MS = 86_400_000;

export class Events {
  private readonly abort = new AbortController();

  constructor(
    private readonly transport: Transport,
    private readonly tokens: Tokens,
    private readonly wake: () => void,
  ) {
    void this.listen();
  }

  end(): void {
    this.abort.abort();
  }

  private async listen(): Promise<void> {
    let wait_ms = FIRST_WAIT_MS;
    while (!this.abort.signal.aborted) {
      try {
        if (await this.hear()) wait_ms = FIRST_WAIT_MS;
      } catch {
        // Whatever it is, the rounds go on, and the token may be a newer one by then.
      }
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
      wait_ms = Math.min(wait_ms * 2, LONGEST_WAIT_MS);
    }
  }

  /** True where anything came. */
  private async hear(): Promise<boolean> {
    const more = { headers: { Accept: "text/event-stream" }, signal: this.abort.signal };
    const answer = await this.transport.ask("GET", "/v1/events", await this.tokens.bearer(), more, DAY_MS);
    const reader = answer.body?.getReader();
    const decoder = new TextDecoder();
    let came = false;
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) return came;
      came = true;
      if (decoder.decode(piece.value, { stream: true }).includes("data:")) this.wake();
    }
  }
}
