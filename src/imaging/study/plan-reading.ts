import type { ImageDefinition } from '../../model-catalog/image-schema.ts';
import type { ClinicalRecord } from '../../records/clinical-record.ts';
import type { ImageAttributes } from '../dicom/image-attributes.ts';
import { NoImage } from '../image-reading.ts';
import type { ImagingParts } from '../read-images.ts';
import type { ChosenStudy } from './choose-study.ts';
import { checkCounted } from './counted-study.ts';
import { checkSizes } from './fetch-frames.ts';
import { compileImageRules } from './image-rules.ts';
import { type ListedImages, listImages } from './list-images.ts';
import { type ReadingBytes, readingBytes, type TensorUse } from './reading-bytes.ts';
import { type StudySources, studySources } from './study-sources.ts';
import { studyUidOf } from './study-uid.ts';
import { readPositions, readStated, type TakenFrame, takeFrames } from './take-frames.ts';
import { checkWhole, statesCounts } from './whole-study.ts';
import { compileOwnerCheck } from './whose-images.ts';

/** What is to be read of one study, before anything but its metadata was fetched. */
export interface PlannedReading {
  readonly studyUid: string;
  readonly sources: StudySources;
  /** In the order of the tensor. */
  readonly frames: readonly TakenFrame[];
  /** One of the images that fit. */
  readonly first: ImageAttributes;
  /** What was asked for, what was left out, and what was taken, in words. */
  readonly rule: string;
  readonly bytes: ReadingBytes;
}

/**
 * Finds out which images of a study are read: whose it is, whether it is whole, which fit, and how much memory they need.
 * Throws NoImage and ImageFault where none can be, and IMAGES_UNREACHABLE.
 */
export async function planReading(
  parts: Pick<ImagingParts, 'sources' | 'limits' | 'quietPeriodMs' | 'patientIdentifiers' | 'clock'>,
  { definition, ...use }: { readonly definition: ImageDefinition } & TensorUse,
  { study, series }: ChosenStudy,
  record: ClinicalRecord,
  signal: AbortSignal | undefined,
): Promise<PlannedReading> {
  const studyUid = studyUidOf(study);
  const sources = studySources(study, record, parts.sources);
  const rules = compileImageRules(definition);
  const checkOwner = compileOwnerCheck(record, study, parts.patientIdentifiers);
  const list = () =>
    listImages(sources, {
      studyUid,
      rules,
      checkOwner,
      ...(series === undefined ? {} : { series }),
      ...(signal === undefined ? {} : { signal }),
    });
  const listed = await list();
  checkWhole(study, listed.bySeries, { now: parts.clock.now(), quietPeriodMs: parts.quietPeriodMs });
  if (!statesCounts(study)) await checkCounted(sources, studyUid, { listed, list, ...(signal && { signal }) });
  const [first] = listed.fitting;
  if (first === undefined) throw noneFits(listed);
  if (definition.take === 'volume') await readPositions(listed.fitting, parts.limits.frames);
  const { frames, words } = takeFrames(listed.fitting, definition.take, parts.limits.frames);
  checkSizes(frames, parts.limits);
  await readStated(frames);
  const bytes = readingBytes(frames, definition, use);
  return { studyUid, sources, frames, first, rule: `${rules.words}; took ${words}`, bytes };
}

function noneFits({ misfits }: ListedImages): NoImage {
  const total = [...misfits.values()].reduce((sum, each) => sum + each, 0);
  const why = [...misfits].map(([reason, each]) => `${each} ${reason}`).join(', ');
  return new NoImage('no-matching-image', `none of the ${total} objects of the study fits (${why})`);
}
