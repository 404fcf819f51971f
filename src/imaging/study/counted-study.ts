import { NoImage } from '../image-reading.ts';
import type { ListedImages } from './list-images.ts';
import type { StudySources } from './study-sources.ts';

export interface Listing {
  readonly listed: ListedImages;
  /** Lists the images once more. */
  readonly list: () => Promise<ListedImages>;
  readonly signal?: AbortSignal;
}

/**
 * Checks by the count of the image server that a study is whole of which the ImagingStudy counts nothing (DW-16). Where the server
 * counts otherwise than it lists, it is asked once more: what was made here of results may have arrived in between, and is nothing that
 * was waited for. Throws NoImage `study-incomplete`, and IMAGES_UNREACHABLE.
 */
export async function checkCounted(
  { study, series }: StudySources,
  studyUid: string,
  { listed, list, signal }: Listing,
): Promise<void> {
  if (study === undefined)
    throw new NoImage(
      'study-incomplete',
      'nothing says whether the study is whole: the ImagingStudy counts nothing, and each of its series lies behind an Endpoint of its own',
    );
  const counted = await study.countInstances(studyUid, signal);
  const there = sizeOf(listed, series);
  // A series behind an Endpoint of its own may be counted there or not; so may results.
  const isAll = ({ all, results }: Size): boolean =>
    counted === all || counted === all - results || (counted > all && series.size > 0);
  if (isAll(there)) return;
  const now = sizeOf(await list(), series);
  const onlyResultsCame = now.all - now.results === there.all - there.results && now.all >= there.all;
  if (onlyResultsCame && (isAll(now) || (there.all < counted && counted < now.all))) return;
  throw new NoImage('study-incomplete', `the image server counts ${counted} objects of the study and lists ${now.all}`);
}

interface Size {
  readonly all: number;
  readonly results: number;
}

function sizeOf({ bySeries }: ListedImages, apart: StudySources['series']): Size {
  const sum = { all: 0, results: 0 };
  for (const [uid, { objects, results = 0 }] of bySeries) {
    if (apart.has(uid)) continue;
    sum.all += objects;
    sum.results += results;
  }
  return sum;
}
