// Uploads one file with tus-js-client and says what happens, one JSON line each: {"found": bytes} where the server says
// how far it is, {"accepted": bytes} after a chunk, {"cut": true}, {"done": url}, {"failed": text}.
//
//   node upload.js ENDPOINT TOKEN FILE SHA256 MEMORY CHUNK [CUT_AT]
//
// MEMORY is the file in which the client remembers its uploads from one run to the next, CHUNK how many bytes go in one
// request. With CUT_AT the connection is broken off as soon as so many bytes are on their way.
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { DefaultHttpStack, FileUrlStorage, Upload } from 'tus-js-client'

const [endpoint, token, file, sha256, memory, chunk, cutAt] = process.argv.slice(2)
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')

const agent = new Agent({ keepAlive: true })
const upload = new Upload(readFileSync(file), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: '../../etc/passwd', sha256 },
  httpStack: new DefaultHttpStack({ agent }),
  chunkSize: Number(chunk),
  retryDelays: Array(60).fill(500),
  urlStorage: new FileUrlStorage(memory),
  fingerprint: async () => sha256,
  onAfterResponse: (request, response) => {
    if (request.getMethod() === 'HEAD') say({ found: Number(response.getHeader('Upload-Offset')) })
  },
  onChunkComplete: (_, accepted) => say({ accepted }),
  onError: (error) => {
    say({ failed: String(error) })
    process.exit(1)
  },
  onSuccess: () => say({ done: upload.url }),
})

const earlier = await upload.findPreviousUploads()
if (earlier.length > 0) upload.resumeFromPreviousUpload(earlier[0])
upload.start()

// The client tells its progress now and then only; what went out is known to its sockets.
const cut = () => {
  const sockets = Object.values(agent.sockets).flat()
  if (!sockets.some((socket) => socket.bytesWritten > Number(cutAt))) return setImmediate(cut)
  for (const socket of sockets) socket.destroy()
  upload.abort()
  say({ cut: true })
  process.exit(0)
}
if (cutAt) cut()
