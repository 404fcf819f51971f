import type { DicomJson } from '../dicom/dicom-json.ts';
import { askServer } from './ask-server.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import { type ImageRequest, imagesUnreachable } from './images-unreachable.ts';
import { datasetsOf } from './retrieve-metadata.ts';

/** What is asked for at once; a server may give fewer (DW-16). */
const pageSize = 200;
const noPages = 'It does not search page by page (offset); have its search mended.';
const instanceTag = '00080018';
const countTag = '00201208';

/**
 * Every object of a study that a search finds (QIDO-RS; PS3.18, section 10.6), page by page until one is empty: a server may cap a page
 * without a word. Throws IMAGES_UNREACHABLE, also where a page repeats an object of an earlier one.
 */
export async function* searchInstances(
  server: DicomwebServer,
  study: string,
  signal?: AbortSignal,
): AsyncGenerator<DicomJson, void, void> {
  const seen = new Set<unknown>();
  for (let found = -1; found !== 0; ) {
    found = 0;
    const path = `/studies/${study}/instances?limit=${pageSize}&offset=${seen.size}`;
    const { asked, datasets } = await search(server, 'search the objects of a study', path, signal);
    for await (const dataset of datasets) {
      found++;
      const uid = dataset[instanceTag]?.Value?.[0];
      if (typeof uid !== 'string') throw imagesUnreachable(asked, 'found an object without a UID', noPages);
      if (seen.has(uid)) throw imagesUnreachable(asked, 'found the same object twice', noPages);
      seen.add(uid);
      yield dataset;
    }
  }
}

/**
 * How many objects the server has of a study: as it says itself, else as many as a search finds. 0 where it does not know the study.
 * Throws IMAGES_UNREACHABLE.
 */
export async function countInstances(server: DicomwebServer, study: string, signal?: AbortSignal): Promise<number> {
  const path = `/studies?StudyInstanceUID=${study}&includefield=${countTag}`;
  const { asked, datasets } = await search(server, 'search a study', path, signal);
  let studies = 0;
  let stated: unknown;
  for await (const dataset of datasets) {
    studies++;
    if (studies > 1 || dataset['0020000D']?.Value?.[0] !== study)
      throw imagesUnreachable(asked, 'found other studies than the one that was asked for', noPages);
    stated = dataset[countTag]?.Value?.[0];
  }
  if (studies === 0) return 0;
  const count = typeof stated === 'string' && /^ *\d{1,9} *$/.test(stated) ? Number(stated) : stated;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  let counted = 0;
  for await (const _ of searchInstances(server, study, signal)) counted++;
  return counted;
}

/** Resolves where a search for any one study is answered in DICOM JSON; 404 is no answer, but another base. Throws IMAGES_UNREACHABLE. */
export async function checkSearch(server: DicomwebServer, signal?: AbortSignal): Promise<void> {
  const { datasets } = await search(server, 'search a study', '/studies?limit=1', signal, [200, 204]);
  for await (const _ of datasets) break;
}

async function search(
  server: DicomwebServer,
  name: string,
  path: string,
  signal: AbortSignal | undefined,
  statuses: readonly number[] = [200, 204, 404],
): Promise<{ readonly asked: ImageRequest; readonly datasets: AsyncIterable<DicomJson> }> {
  const answer = await askServer(
    server,
    {
      name,
      method: 'GET',
      base: server.qidoBase,
      path,
      accept: 'application/dicom+json',
      statuses,
    },
    signal,
  );
  return { asked: answer.asked, datasets: datasetsOf(server, answer, `${server.qidoBase}${path}`) };
}
