// The server's word that something happened: a stream of events, and long polls where that does not get through. It is a
// reason to sync, never data. Without either there is a round a minute.

import type { Id } from "./contract";
import type { Tokens } from "./tokens";
import { CallError, type Transport } from "./transport";

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
/** The stream is asked for anew once a day at the latest. */
const DAY_MS = 86_400_000;
/** The stream speaks every 15 s at the latest. */
const SILENCE_MS = 40_000;
/** What a long poll waits for at most, in seconds. */
const POLL_S = 25;
/** Polls until the stream is tried again. */
const POLLS = 12;

interface Head {
  rev: number;
}

export class Events {
  private open = new AbortController();
  private ended = false;
  private readonly heard = new Map<Id, number>();

  constructor(
    private readonly transport: Transport,
    private readonly tokens: Tokens,
    private readonly logs: () => Id[],
    private readonly wake: () => void,
  ) {
    void this.listen();
  }

  end(): void {
    this.ended = true;
    this.open.abort();
  }

  private async listen(): Promise<void> {
    let wait_ms = FIRST_WAIT_MS;
    while (!this.ended) {
      // Whatever failed, the rounds go on, and the token may be a newer one by then.
      const came = (await this.stream().catch(() => false)) || (await this.polls().catch(() => false));
      if (came) wait_ms = FIRST_WAIT_MS;
      if (this.ended) return;
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
      wait_ms = Math.min(wait_ms * 2, LONGEST_WAIT_MS);
    }
  }

  /** Reads the stream to its end; true where anything came. */
  private async stream(): Promise<boolean> {
    const open = (this.open = new AbortController());
    const more = { headers: { Accept: "text/event-stream" }, signal: open.signal };
    let timer = setTimeout(() => open.abort(), SILENCE_MS);
    let came = false;
    try {
      const answer = await this.transport.ask("GET", "/v1/events", this.tokens.bearer(), more, DAY_MS);
      const reader = answer.body?.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const piece = await reader?.read();
        if (!piece || piece.done) return came;
        came = true;
        clearTimeout(timer);
        timer = setTimeout(() => open.abort(), SILENCE_MS);
        if (decoder.decode(piece.value, { stream: true }).includes("data:")) this.wake();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks each district, several times; true where it was answered. */
  private async polls(): Promise<boolean> {
    let came = false;
    for (let round = 0; round < POLLS && !this.ended; round += 1) {
      const answers = await Promise.all(this.logs().map((log) => this.poll(log)));
      if (!answers.some(Boolean)) return came;
      came = true;
    }
    return came;
  }

  private async poll(log: Id): Promise<boolean> {
    const known = this.heard.get(log) ?? 0;
    try {
      const answer = await this.transport.ask("GET", `/v1/head?log=${log}&rev=${known}&wait=${POLL_S}`, this.tokens.bearer());
      const { rev } = (await answer.json()) as Head;
      this.heard.set(log, rev);
      if (rev > known) this.wake();
      return true;
    } catch (error) {
      if (error instanceof CallError) return false;
      throw error;
    }
  }
}
