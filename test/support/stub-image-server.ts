import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createImageSources } from '../../src/imaging/dicomweb/create-image-sources.ts';
import type { ImageSource } from '../../src/imaging/dicomweb/image-sources.ts';
import type { ImagingLimits } from '../../src/imaging/read-imaging-file.ts';
import { outboundTo } from './outbound-to.ts';

export interface StubImageServer {
  /** Its origin. */
  readonly url: string;
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** How it answers; to be set by each test. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** An image server that answers what a test says, in the bytes that the test says. */
export async function startStubImageServer(): Promise<StubImageServer> {
  const server = createServer((request, response) => {
    stub.requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    response.on('error', () => undefined);
    stub.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stub: StubImageServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: (_request, response) => void response.writeHead(404).end(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}

const limits: ImagingLimits = {
  timeoutMs: 5_000,
  objectBytes: 1_000_000,
  metadataBytes: 1_000_000,
  studyBytes: 10_000_000,
  memoryBytes: 1_000_000_000,
  frames: 100,
};

/** The one server as `pacs`; its base is `<url>/dicom-web`. */
export function sourceOn(url: string, changed: Partial<ImagingLimits> = {}): ImageSource {
  const settings = { url: `${url}/dicom-web`, endpoints: [], allowPlainHttp: false, connections: 4 };
  const sources = createImageSources(
    { servers: { pacs: settings }, default: 'pacs', limits: { ...limits, ...changed } },
    { outbound: outboundTo(url), readVariable: () => undefined },
  );
  const source = sources.defaultSource();
  if (source === undefined) throw new Error('The only server is the default.');
  return source;
}

/** A multipart body with the boundary `b`. */
export function multipart(...parts: readonly { readonly headers: string; readonly bytes: Uint8Array }[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ headers, bytes }) => [Buffer.from(`--b\r\n${headers}\r\n\r\n`), bytes, Buffer.from('\r\n')]),
    Buffer.from('--b--\r\n'),
  ]);
}

/** Everything that an iteration gives. */
export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
