import type { ImageDefinition } from '../model-catalog/image-schema.ts';
import type { Clock } from '../platform/clock.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { ImageSources } from './dicomweb/image-sources.ts';
import { ImageFault } from './image-fault.ts';
import { type ImageMemory, tooLargeFor } from './image-memory.ts';
import { type ImageReading, NoImage, NotYetQuiet } from './image-reading.ts';
import type { AskOptions, PixelWorkers } from './preprocess/pixel-workers.ts';
import { type ChosenStudy, chooseStudy } from './study/choose-study.ts';
import { type FetchLimits, fetchFrames } from './study/fetch-frames.ts';
import { ownerMarks } from './study/owner-mark.ts';
import { type PlannedReading, planReading } from './study/plan-reading.ts';
import type { TensorUse } from './study/reading-bytes.ts';
import type { PatientIdentifier } from './study/whose-images.ts';

/** What reading images needs of the house; made once, of IMAGING_FILE. */
export interface ImagingParts {
  readonly sources: Pick<ImageSources, 'sourceFor' | 'defaultSource'>;
  readonly workers: Pick<PixelWorkers, 'make' | 'draw'>;
  readonly limits: FetchLimits;
  /** Of all readings together. */
  readonly memory: Pick<ImageMemory, 'bytes' | 'take'>;
  /** How long nothing of a study may have changed before it counts as whole. */
  readonly quietPeriodMs: number;
  readonly patientIdentifiers: readonly PatientIdentifier[];
  readonly clock: Clock;
}

export interface WantedImage extends TensorUse {
  /** Of the feature. */
  readonly name: string;
  readonly definition: ImageDefinition;
}

export interface ReadOptions extends Pick<AskOptions, 'signal' | 'lane'> {
  /** `ImagingStudy/17` where the prediction is about that one; anything else chooses no study. */
  readonly focus?: string;
  /** IANA zone in which dates without a time are read. */
  readonly timeZone: string;
  /**
   * Given what gives back the memory of the tensors and of their copies while models run on them, for whoever has them calls it once they are used no more; it asks for no other
   * images before. Absent: it is given back with the readings.
   */
  hold?(release: () => void): void;
}

type Missing = Extract<ImageReading, { state: 'missing' }>;

/** An image whose study is known. */
interface Chosen {
  readonly definition: ImageDefinition;
  readonly chosen: ChosenStudy;
}

/** An image that is going to be read. */
type Planned = PlannedReading & Chosen;

/**
 * Reads the images that a feature map wants of one subject: which study, whose it is, whether it is whole, which images of
 * it, their frames, and the tensor. What cannot be had of the study is a reason. Every image is needed, so that no server is asked for
 * any where one has no study, and no pixel is fetched where one cannot be read. No pixel is fetched before there is memory for all.
 * Throws IMAGES_UNREACHABLE for trouble with an image server, OVERLOADED, and DEADLINE_EXCEEDED where time runs out while memory
 * is waited for, or the pixels are prepared.
 * @param parts undefined where no image server is configured
 */
export async function readImages(
  parts: ImagingParts | undefined,
  wanted: readonly WantedImage[],
  record: ClinicalRecord,
  options: ReadOptions,
): Promise<ReadonlyMap<string, ImageReading>> {
  if (parts === undefined) return new Map(wanted.map(({ name, definition }) => [name, unconfigured(definition)]));
  const found = new Map(wanted.map(({ name, ...image }) => [name, chooseOne(image, record, options)]));
  const unfound = withoutOne(found, record);
  if (unfound !== undefined) return unfound;
  const plans = new Map<string, Planned | Missing>();
  for (const [name, image] of found)
    plans.set(name, 'state' in image ? image : await planOne(parts, image, record, options));
  const { most, afterwards } = neededBytes(plans, record, parts.memory.bytes);
  // A reason is said at once, however many others wait for memory, and no pixels are fetched beside it.
  const unread = withoutOne(plans, record);
  if (unread !== undefined) return unread;
  // All of it at once: two predictions that each had the memory of one image and waited for that of another would wait for each other.
  const share = await parts.memory.take(most, options);
  let underWay = Promise.resolve();
  try {
    const readings = new Map<string, ImageReading>();
    const begun = (job: Promise<void>): void => {
      underWay = job;
    };
    // One after the other: one prediction holds the pixels of one image at a time.
    for (const [name, plan] of plans)
      readings.set(name, 'state' in plan ? plan : await readOne(parts, plan, record, options, begun));
    share.keep(afterwards);
    if (options.hold === undefined) share.keep(0);
    else options.hold(() => share.keep(0));
    return readings;
  } catch (error) {
    // A thread goes on with what was given up until it is done with it.
    void underWay.then(() => share.keep(0));
    throw error;
  }
}

/** What all of them need at once; one for which there is no room in all the memory that there is becomes a reason. */
function neededBytes(
  plans: Map<string, Planned | Missing>,
  record: ClinicalRecord,
  available: number,
): { readonly most: number; readonly afterwards: number } {
  let needed = { pixels: 0, tensors: 0, most: 0, afterwards: 0 };
  for (const [name, plan] of plans) {
    if ('state' in plan) continue;
    const pixels = Math.max(needed.pixels, plan.bytes.pixels);
    const tensors = needed.tensors + plan.bytes.tensor;
    const afterwards = needed.afterwards + plan.bytes.tensor + plan.bytes.copies;
    // Copies are made when no pixels are held any more.
    const most = Math.max(pixels + tensors, afterwards);
    if (most <= available) needed = { pixels, tensors, most, afterwards };
    else
      plans.set(
        name,
        missing(plan.definition, tooLargeFor(most, available), [record.sourceReference(plan.chosen.study)]),
      );
  }
  return needed;
}

/** What there is to say where one of the images cannot be read: the model needs every one, so that the others are of no use. */
function withoutOne(
  images: ReadonlyMap<string, Chosen | Missing>,
  record: ClinicalRecord,
): ReadonlyMap<string, ImageReading> | undefined {
  const all = [...images];
  if (!all.some(([, image]) => 'state' in image)) return undefined;
  return new Map(all.map(([name, image]) => [name, 'state' in image ? image : notRead(image, record)]));
}

function notRead({ definition, chosen }: Chosen, record: ClinicalRecord): Missing {
  const why = new NoImage('not-read', 'it was not read, since another image that the model needs cannot be had');
  return missing(definition, why, [record.sourceReference(chosen.study)]);
}

function chooseOne(
  image: Omit<WantedImage, 'name'>,
  record: ClinicalRecord,
  options: ReadOptions,
): (Chosen & TensorUse) | Missing {
  const { definition } = image;
  try {
    return { ...image, chosen: chooseStudy(record, { wanted: definition.study, ...options }) };
  } catch (error) {
    const reason = reasonOf(error);
    const lookedAt = reason instanceof NoImage ? reason.study : undefined;
    return missing(definition, reason, lookedAt === undefined ? [] : [record.sourceReference(lookedAt)]);
  }
}

async function planOne(
  parts: ImagingParts,
  image: Chosen & TensorUse,
  record: ClinicalRecord,
  { signal }: ReadOptions,
): Promise<Planned | Missing> {
  const { definition, chosen } = image;
  try {
    return { ...(await planReading(parts, image, chosen, record, signal)), definition, chosen };
  } catch (error) {
    return missing(definition, reasonOf(error), [record.sourceReference(chosen.study)]);
  }
}

async function readOne(
  parts: ImagingParts,
  { definition, chosen, studyUid, sources, frames, first, rule }: Planned,
  record: ClinicalRecord,
  { signal, lane }: ReadOptions,
  begun: (job: Promise<void>) => void,
): Promise<ImageReading> {
  const imagingStudy = record.sourceReference(chosen.study);
  try {
    const fetched = await fetchFrames(frames, sources, parts.limits, signal);
    const { promise: job, resolve: ended } = Promise.withResolvers<void>();
    begun(job);
    const made = await parts.workers.make(
      { frames: fetched, definition: { take: definition.take, preprocess: definition.preprocess } },
      { ended, ...(signal === undefined ? {} : { signal }), ...(lane === undefined ? {} : { lane }) },
    );
    const { accessionNumber } = first;
    return {
      state: 'read',
      ...made,
      study: {
        imagingStudy,
        studyInstanceUid: studyUid,
        ...(accessionNumber === undefined ? {} : { accessionNumber }),
        owners: ownerMarks(
          studyUid,
          frames.map(({ image }) => image),
        ),
      },
      images: frames.map(({ image, frame }) => ({
        seriesInstanceUid: image.seriesInstanceUid,
        sopInstanceUid: image.sopInstanceUid,
        sopClassUid: image.sopClassUid,
        frame,
        objectFrames: image.pixels?.frames ?? 1,
      })),
      at: chosen.at,
      rule,
    };
  } catch (error) {
    return missing(definition, reasonOf(error), [imagingStudy]);
  }
}

/** Throws what is no reason. */
function reasonOf(error: unknown): NoImage | ImageFault {
  if (error instanceof NoImage || error instanceof ImageFault) return error;
  throw error;
}

function missing({ label }: ImageDefinition, reason: NoImage | ImageFault, sources: Missing['sources']): Missing {
  const { because, message } = reason;
  const passes = reason instanceof NotYetQuiet ? { passes: true as const } : {};
  return { state: 'missing', because, detail: `${label}: ${message}`, sources, ...passes };
}

function unconfigured(definition: ImageDefinition): Missing {
  return missing(definition, new NoImage('no-image-source', 'no image server is configured (IMAGING_FILE)'), []);
}
