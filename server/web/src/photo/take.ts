// From a frame of the camera, or a file, to the photo that is kept: its size by the catalogue, time and place in it.

import type { TakenPhoto } from "../device/contract";
import type { Fix } from "../case/place";
import { withExif } from "./exif";
import { now } from "../device/clocks";

/** The longest side of a photo where the catalogue names none, in pixels. */
export const SIDE_PX = 1600;
const QUALITY = 0.85;

function fit(width: number, height: number, side: number): [number, number] {
  const scale = Math.min(1, side / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

function drawn(source: CanvasImageSource, width: number, height: number, side: number): Promise<ArrayBuffer> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = fit(width, height, side);
  const context = canvas.getContext("2d");
  if (!context) return Promise.reject(new Error("no canvas"));
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => {
    canvas.toBlob(
      (blob) => {
        // A canvas holds its pixels until it is collected: a 2 GB phone wants them back now.
        canvas.width = canvas.height = 0;
        if (blob) blob.arrayBuffer().then(done, failed);
        else failed(new Error("the picture can't be written"));
      },
      "image/jpeg",
      QUALITY,
    );
  });
}

export async function sha256(blob: Blob): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function photo(jpeg: Blob, source: TakenPhoto["source"]): Promise<TakenPhoto> {
  return { sha256: await sha256(jpeg), jpeg, source, taken: now() };
}

/** What the camera shows now. */
export async function fromCamera(video: HTMLVideoElement, fix: Fix | null, side = SIDE_PX): Promise<TakenPhoto> {
  const at = Date.now();
  return photo(withExif(await drawn(video, video.videoWidth, video.videoHeight, side), at, fix), "camera");
}

/**
 * A file of the system's camera or the library. A picture just taken gets time and place; one out of the library keeps
 * what stands in it, byte for byte, if it is small enough or can't be drawn.
 */
export async function fromFile(file: File, source: "system_camera" | "library", fix: Fix | null, side = SIDE_PX): Promise<TakenPhoto> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const small = Math.max(image.naturalWidth, image.naturalHeight) <= side;
    if (source === "library" && (small || file.type === "image/jpeg")) return await photo(file, source);
    const jpeg = await drawn(image, image.naturalWidth, image.naturalHeight, side);
    const [at, place] = source === "library" ? [file.lastModified, null] : [Date.now(), fix];
    return await photo(withExif(jpeg, at, place), source);
  } catch (why) {
    if (!(why instanceof DOMException)) throw why;
    // It does not decode here: its bytes are evidence all the same, and the server says what is wrong with them.
    return photo(file, source);
  } finally {
    URL.revokeObjectURL(url);
  }
}
