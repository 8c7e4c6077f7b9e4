// A photo on its way, by tus: resumed where the server says, whatever broke before.

import { Upload, type DetailedError } from "tus-js-client";
import type { Hash } from "./contract";
import { CallError, refused, silent } from "./transport";

/** Two and a half minutes at 14 kbit/s, a moment on anything better. */
const CHUNK_BYTES = 256 * 1024;

export interface Sending {
  sha256: Hash;
  jpeg: Blob;
  authorization: string;
  /** So much is at the server for sure. */
  sent: (offset: number) => void;
}

export function upload({ sha256, jpeg, authorization, sent }: Sending): Promise<void> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(jpeg, {
      endpoint: "/v1/photos",
      uploadUrl: `/v1/photos/${sha256}`,
      metadata: { sha256 },
      headers: { Authorization: authorization },
      chunkSize: CHUNK_BYTES,
      // The session waits and tries again: here nothing is repeated.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onChunkComplete: (_size, accepted) => sent(accepted),
      onSuccess: () => resolve(),
      onError: (error) => reject(callError(error)),
    });
    upload.start();
  });
}

function callError(error: Error | DetailedError): CallError {
  const answer = "originalResponse" in error ? error.originalResponse : null;
  if (!answer || answer.getStatus() === 0) return silent(false);
  return refused(answer.getStatus(), answer.getBody(), answer.getHeader("Retry-After") ?? null);
}
