import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DicomJson } from '../../src/imaging/dicom/dicom-json.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';

/** One object as a PACS keeps it. */
export interface KeptObject {
  readonly dataset: DicomJson;
  /** As stored, one each. */
  readonly frames: readonly Uint8Array[];
  readonly transferSyntaxUid?: string;
  /** As it was sent, where it was. */
  readonly file?: Uint8Array;
}

export interface FakePacs {
  /** Base of its DICOMweb. */
  readonly base: string;
  readonly objects: KeptObject[];
  /** Values of BulkDataURIs, by the rest of their path. */
  readonly bulk: Map<string, Uint8Array>;
  /** `GET /studies/…` as they came. */
  readonly requests: string[];
  /** Says for what reason (PS3.18, table I.2-2) an object that is sent is not kept; undefined: it is. */
  refusal: (dataset: DicomJson) => number | undefined;
  /** Answers in the place of the PACS where it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

const explicitLittleEndian = '1.2.840.10008.1.2.1';

/** A PACS that answers DICOMweb over HTTP from what a test puts into it: metadata, frames, values, and how many objects it has. */
export async function startFakePacs(objects: readonly KeptObject[] = []): Promise<FakePacs> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/dicom-web/, '');
    pacs.requests.push(`${request.method} ${path}`);
    response.on('error', () => undefined);
    if (pacs.intercept(request, response)) return;
    if (request.method === 'POST' && path === '/studies') void keep(pacs, request, response);
    else answer(pacs, path, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pacs: FakePacs = {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web`,
    objects: [...objects],
    bulk: new Map(),
    requests: [],
    refusal: () => undefined,
    intercept: () => false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return pacs;
}

function answer({ objects, bulk }: FakePacs, path: string, response: ServerResponse): void {
  const [, study, series, instance, numbers] =
    /^\/studies\/([0-9.]+)(?:\/series\/([0-9.]+))?(?:\/instances\/([0-9.]+)\/frames\/([0-9,]+)|\/metadata)$/.exec(
      path,
    ) ?? [];
  const searched = /^\/studies\?StudyInstanceUID=([0-9.]+)/.exec(path)?.[1];
  const value = /^\/bulk\/(.+)$/.exec(path)?.[1];
  const found = objects.filter(
    ({ dataset }) =>
      text(dataset, '0020000D') === (study ?? searched) &&
      (series === undefined || text(dataset, '0020000E') === series) &&
      (instance === undefined || text(dataset, '00080018') === instance),
  );
  const [object] = found;
  if (value !== undefined && bulk.has(value)) sendParts(response, [bulk.get(value) ?? new Uint8Array()]);
  else if (object === undefined) response.writeHead(404).end();
  else if (searched !== undefined) {
    const count = { vr: 'IS', Value: [found.length] };
    sendJson(response, [{ '0020000D': object.dataset['0020000D'], '00201208': count }]);
  } else if (numbers === undefined)
    sendJson(
      response,
      found.map(({ dataset }) => dataset),
    );
  else {
    const frames = numbers.split(',').map((number) => object.frames[Number(number) - 1] ?? new Uint8Array());
    sendParts(response, frames, object.transferSyntaxUid ?? explicitLittleEndian);
  }
}

/** STOW-RS: each file takes the place of one with its UID. */
async function keep(pacs: FakePacs, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await request.toArray());
  const boundary = /boundary=([^;]+)/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
  const outcome = { '00081199': [] as object[], '00081198': [] as object[] };
  for (const part of body.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const file = Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4, -2), 'latin1');
    const { dataset: read, frames, transferSyntaxUid } = readPart10(file);
    const dataset = unpadded(read);
    const reason = pacs.refusal(dataset);
    const uid = { '00081155': { vr: 'UI', Value: [text(dataset, '00080018')] } };
    if (reason !== undefined) {
      outcome['00081198'].push({ ...uid, '00081197': { vr: 'US', Value: [reason] } });
      continue;
    }
    const at = pacs.objects.findIndex((one) => text(one.dataset, '00080018') === text(dataset, '00080018'));
    pacs.objects.splice(at < 0 ? pacs.objects.length : at, at < 0 ? 0 : 1, {
      dataset,
      frames,
      transferSyntaxUid,
      file,
    });
    outcome['00081199'].push(uid);
  }
  const [kept, refused] = [outcome['00081199'].length, outcome['00081198'].length];
  const told = Object.fromEntries(Object.entries(outcome).map(([tag, Value]) => [tag, { vr: 'SQ', Value }]));
  sendJson(response, told, refused === 0 ? 200 : kept === 0 ? 409 : 202);
}

/** As a PACS gives it: without the padding of a file. */
export function unpadded(dataset: DicomJson): DicomJson {
  return JSON.parse(JSON.stringify(dataset).replaceAll('\\u0000', '').replaceAll(' "', '"'));
}

function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(body));
}

function sendParts(response: ServerResponse, parts: readonly Uint8Array[], syntax = explicitLittleEndian): void {
  response.writeHead(200, { 'content-type': 'multipart/related; type="application/octet-stream"; boundary=b' });
  for (const bytes of parts) {
    response.write(`--b\r\nContent-Type: application/octet-stream; transfer-syntax=${syntax}\r\n\r\n`);
    response.write(bytes);
    response.write('\r\n');
  }
  response.end('--b--\r\n');
}

function text(dataset: DicomJson, tag: string): unknown {
  return dataset[tag]?.Value?.[0];
}
