import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { FuzzCall } from './fuzz-call.ts';

export interface FuzzAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How long an answer may take before the call counts as hung. */
const patienceMs = 20_000;

/** Sends a call as it is. Rejects where no whole answer comes. */
export function sendCall(origin: URL, agent: Agent, call: FuzzCall): Promise<FuzzAnswer> {
  const { method, target, headers, body } = call;
  return new Promise((resolve, reject) => {
    const { hostname, port } = origin;
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const options = { agent, hostname, port, method, path: target, headers: { ...headers, ...length } };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
    request.on('error', (error) => {
      clearTimeout(timer);
      // The server may close an idle connection in the moment in which it is used again; a client asks once more then.
      if (request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET')
        sendCall(origin, new Agent(), call).then(resolve, reject);
      else reject(error);
    });
    request.end(body);
  });
}

/** Sends bytes on a connection of their own, ends it, and gives all that comes back. Rejects where the other side does not end too. */
export function sendBytes(origin: URL, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: origin.hostname, port: Number(origin.port), allowHalfOpen: true });
    socket.setTimeout(patienceMs, () => socket.destroy(new Error(`the connection stays open for ${patienceMs} ms`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever is sent nonsense may hang up.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(Buffer.concat(chunks));
      else reject(error);
    });
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.end(bytes);
    socket.on('end', () => socket.destroy());
  });
}
