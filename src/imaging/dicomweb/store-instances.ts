import { randomUUID } from 'node:crypto';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { askServer } from './ask-server.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import type { StoreOutcome } from './image-sources.ts';
import { imagesUnreachable } from './images-unreachable.ts';
import { jsonObjects } from './json-objects.ts';
import { parseDataset } from './parse-dataset.ts';

const failed = '00081198';
const referenced = '00081199';
const instanceUid = '00081155';
const failureReason = '00081197';
const seeServer = "See that server's own log: some of the objects may be kept there.";

/**
 * Sends DICOM files in one request (STOW-RS; PS3.18, section 10.5), not repeated. Throws IMAGES_UNREACHABLE where the server does not say
 * which of them it keeps.
 */
export async function storeInstances(
  server: DicomwebServer,
  files: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<StoreOutcome> {
  const boundary = `fhirsight-${randomUUID()}`;
  const answer = await askServer(
    server,
    {
      name: 'store objects',
      method: 'POST',
      base: server.stowBase,
      path: '/studies',
      accept: 'application/dicom+json',
      contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
      body: [
        ...files.flatMap((file) => [
          Buffer.from(`\r\n--${boundary}\r\nContent-Type: application/dicom\r\nContent-Length: ${file.length}\r\n\r\n`),
          file,
        ]),
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ],
      statuses: [200, 202, 409],
    },
    signal,
  );
  const broken = (happened: string) => imagesUnreachable(answer.asked, happened, seeServer);
  const said = answer.type?.essence;
  if (said !== 'application/dicom+json' && said !== 'application/json') {
    answer.drop();
    throw broken(`answered ${said ?? 'no media type'}, not DICOM JSON`);
  }
  const outcomes: DicomJson[] = [];
  const tooLarge = () => broken('answered more than is read');
  const limits = { bytes: server.limits.metadataBytes, tooLarge, broken };
  for await (const object of jsonObjects(asArray(answer.body), limits)) {
    const outcome = parseDataset(object, () => undefined);
    if (outcome === undefined) throw broken('answered JSON that is not of the DICOM model');
    outcomes.push(outcome);
  }
  const told = { stored: outcomes.flatMap(storedOf), refused: outcomes.flatMap(refusedOf) };
  if (told.stored.length + told.refused.length !== files.length) {
    throw broken(`was sent ${files.length} objects and told of ${told.stored.length + told.refused.length}`);
  }
  return told;
}

/** The answer is one data set (PS3.18, section 10.5.3.2), which some write as an array of one. */
async function* asArray(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let wraps: boolean | undefined;
  for await (const chunk of body) {
    const first = wraps === undefined ? /\S/.exec(Buffer.from(chunk).toString('latin1'))?.[0] : undefined;
    if (wraps === undefined && first !== undefined) {
      wraps = first !== '[';
      if (wraps) yield Buffer.from('[');
    }
    yield chunk;
  }
  if (wraps === true) yield Buffer.from(']');
}

function storedOf(outcome: DicomJson): string[] {
  return itemsOf(outcome, referenced).map((item) => String(item[instanceUid]?.Value?.[0]));
}

function refusedOf(outcome: DicomJson): { sopInstanceUid: string; reason?: number }[] {
  return itemsOf(outcome, failed).map((item) => {
    const reason = Number(item[failureReason]?.Value?.[0]);
    const sopInstanceUid = String(item[instanceUid]?.Value?.[0]);
    return Number.isInteger(reason) ? { sopInstanceUid, reason } : { sopInstanceUid };
  });
}

/** `parseDataset` has made data sets of them. */
function itemsOf(outcome: DicomJson, tag: string): DicomJson[] {
  return (outcome[tag]?.Value ?? []) as DicomJson[];
}
