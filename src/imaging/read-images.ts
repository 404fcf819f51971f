import type { ImagingStudy } from '@medplum/fhirtypes';
import type { ImageDefinition } from '../model-catalog/image-schema.ts';
import type { Clock } from '../platform/clock.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { ImageSources } from './dicomweb/image-sources.ts';
import { ImageFault } from './image-fault.ts';
import { type ImageReading, NoImage } from './image-reading.ts';
import type { AskOptions, PixelWorkers } from './preprocess/pixel-workers.ts';
import { type ChosenStudy, chooseStudy } from './study/choose-study.ts';
import { checkCounted } from './study/counted-study.ts';
import { type FetchLimits, fetchFrames } from './study/fetch-frames.ts';
import { compileImageRules } from './study/image-rules.ts';
import { type ListedImages, listImages } from './study/list-images.ts';
import { studySources } from './study/study-sources.ts';
import { studyUidOf } from './study/study-uid.ts';
import { readPositions, takeFrames } from './study/take-frames.ts';
import { checkWhole, statesCounts } from './study/whole-study.ts';
import { compileOwnerCheck, type PatientIdentifier } from './study/whose-images.ts';

/** What reading images needs of the house; made once, of IMAGING_FILE. */
export interface ImagingParts {
  readonly sources: Pick<ImageSources, 'sourceFor' | 'defaultSource'>;
  readonly workers: Pick<PixelWorkers, 'make' | 'draw'>;
  readonly limits: FetchLimits;
  /** How long nothing of a study may have changed before it counts as whole. */
  readonly quietPeriodMs: number;
  readonly patientIdentifiers: readonly PatientIdentifier[];
  readonly clock: Clock;
}

export interface WantedImage {
  /** Of the feature. */
  readonly name: string;
  readonly definition: ImageDefinition;
}

export interface ReadOptions extends AskOptions {
  /** `ImagingStudy/17` where the prediction is about that one; anything else chooses no study. */
  readonly focus?: string;
  /** IANA zone in which dates without a time are read. */
  readonly timeZone: string;
}

/**
 * Reads the images that a feature map wants of one subject: which study, whose it is, whether it is whole, which images of
 * it, their frames, and the tensor. What cannot be had of the study is a reason.
 * Throws IMAGES_UNREACHABLE for trouble with an image server, OVERLOADED, and DEADLINE_EXCEEDED where time runs out while the
 * pixels are prepared.
 * @param parts undefined where no image server is configured
 */
export async function readImages(
  parts: ImagingParts | undefined,
  wanted: readonly WantedImage[],
  record: ClinicalRecord,
  options: ReadOptions,
): Promise<ReadonlyMap<string, ImageReading>> {
  const readings = new Map<string, ImageReading>();
  // One after the other: one prediction holds the pixels of one image at a time.
  for (const { name, definition } of wanted) readings.set(name, await readOne(parts, definition, record, options));
  return readings;
}

async function readOne(
  parts: ImagingParts | undefined,
  definition: ImageDefinition,
  record: ClinicalRecord,
  options: ReadOptions,
): Promise<ImageReading> {
  const { label } = definition;
  let study: ImagingStudy | undefined;
  try {
    if (parts === undefined) throw new NoImage('no-image-source', 'no image server is configured (IMAGING_FILE)');
    const chosen = chooseStudy(record, { wanted: definition.study, ...options });
    study = chosen.study;
    return await readStudy(parts, definition, chosen, { record, options });
  } catch (error) {
    if (!(error instanceof NoImage || error instanceof ImageFault)) throw error;
    const lookedAt = study ?? (error instanceof NoImage ? error.study : undefined);
    const sources = lookedAt === undefined ? [] : [record.sourceReference(lookedAt)];
    return { state: 'missing', because: error.because, detail: `${label}: ${error.message}`, sources };
  }
}

async function readStudy(
  parts: ImagingParts,
  definition: ImageDefinition,
  { study, at, series }: ChosenStudy,
  { record, options }: { readonly record: ClinicalRecord; readonly options: ReadOptions },
): Promise<ImageReading> {
  const { signal, lane } = options;
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
  const taken = takeFrames(listed.fitting, definition.take, parts.limits.frames);
  const frames = await fetchFrames(taken.frames, sources, parts.limits, signal);
  const made = await parts.workers.make(
    { frames, definition: { take: definition.take, preprocess: definition.preprocess } },
    { ...(signal === undefined ? {} : { signal }), ...(lane === undefined ? {} : { lane }) },
  );
  const { accessionNumber } = first;
  return {
    state: 'read',
    ...made,
    study: {
      imagingStudy: record.sourceReference(study),
      studyInstanceUid: studyUid,
      ...(accessionNumber === undefined ? {} : { accessionNumber }),
    },
    images: taken.frames.map(({ image, frame }) => ({
      seriesInstanceUid: image.seriesInstanceUid,
      sopInstanceUid: image.sopInstanceUid,
      sopClassUid: image.sopClassUid,
      frame,
      objectFrames: image.pixels?.frames ?? 1,
    })),
    at,
    rule: `${rules.words}; took ${taken.words}`,
  };
}

function noneFits({ misfits }: ListedImages): NoImage {
  const total = [...misfits.values()].reduce((sum, each) => sum + each, 0);
  const why = [...misfits].map(([reason, each]) => `${each} ${reason}`).join(', ');
  return new NoImage('no-matching-image', `none of the ${total} objects of the study fits (${why})`);
}
