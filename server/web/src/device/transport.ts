// HTTP with the server of this page: limits of time on everything, and refusals as the session takes them.

import type { Refusal, TakenIn } from "./contract";

const SILENCE_MS = 40_000;
const WHOLE_MS = 600_000;

/** A call that brought nothing. */
export class CallError extends Error {
  constructor(
    readonly status: number | null,
    readonly code: string | null,
    readonly retry_after_ms: number | null,
    readonly timed_out: boolean,
    readonly refusal: Refusal,
  ) {
    super(refusal.en);
  }
}

export function silent(timed_out: boolean): CallError {
  const refusal = timed_out
    ? { code: "timed_out", zh: "服务器没有及时回答", en: "The server did not answer in time" }
    : { code: "unreachable", zh: "连不上服务器", en: "The server can't be reached" };
  return new CallError(null, null, null, timed_out, refusal);
}

/** What a problem document says, in the language it was asked for. */
export function refused(status: number, text: string, retry_after: string | null): CallError {
  let problem: { code?: string; title?: string; detail?: string } = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // A gateway on the way speaks no problem documents.
  }
  const said = [problem.title, problem.detail].filter(Boolean).join(" ") || `HTTP ${status}`;
  const seconds = Number(retry_after);
  const wait = retry_after !== null && Number.isFinite(seconds) ? seconds * 1000 : null;
  return new CallError(status, problem.code ?? null, wait, false, { code: problem.code ?? `http_${status}`, zh: said, en: said });
}

async function gzipped(text: string): Promise<{ body: BodyInit; headers: Record<string, string> }> {
  // Browsers before 2023 send it as it is: every server takes both.
  if (typeof CompressionStream === "undefined") return { body: text, headers: {} };
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return { body: await new Response(packed).blob(), headers: { "Content-Encoding": "gzip" } };
}

export class Transport {
  constructor(
    private readonly base: string,
    private readonly language: () => string,
  ) {}

  async ask(method: string, path: string, authorization: string | null, more: RequestInit = {}, limit_ms = SILENCE_MS): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), limit_ms);
    const headers: Record<string, string> = { "Accept-Language": this.language(), ...(more.headers as Record<string, string>) };
    if (authorization) headers.Authorization = authorization;
    try {
      const answer = await fetch(this.base + path, { ...more, method, headers, signal: more.signal ?? abort.signal, cache: "no-store" });
      if (answer.ok) return answer;
      throw refused(answer.status, await answer.text(), answer.headers.get("Retry-After"));
    } catch (error) {
      if (error instanceof CallError) throw error;
      throw silent(abort.signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  }

  async json<T>(method: string, path: string, authorization: string | null, body?: unknown): Promise<T> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const text = await (await this.ask(method, path, authorization, sent)).text();
    return (text === "" ? null : JSON.parse(text)) as T;
  }

  async handIn(authorization: string, file: Blob): Promise<TakenIn> {
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await this.ask("POST", "/v1/export-files", authorization, { body: file, headers }, WHOLE_MS);
    return (await answer.json()) as TakenIn;
  }

  async sync(authorization: string, body: string): Promise<string> {
    const packed = await gzipped(body);
    const headers = { "Content-Type": "application/x-ndjson", ...packed.headers };
    const answer = await this.ask("POST", "/v1/sync", authorization, { body: packed.body, headers }, WHOLE_MS);
    return answer.text().catch(() => Promise.reject(silent(false)));
  }
}
