import type { DicomJson } from '../dicom/dicom-json.ts';
import { type ElementReader, elementReader } from '../dicom/element-reader.ts';
import { type ImageAttributes, readImageAttributes } from '../dicom/image-attributes.ts';
import type { ImageSource } from '../dicomweb/image-sources.ts';
import { ImageFault } from '../image-fault.ts';
import { NoImage } from '../image-reading.ts';
import { isResultObject } from '../objects/result-series.ts';
import type { ImageRules } from './image-rules.ts';
import { inlineBulkData } from './inline-bulk-data.ts';
import type { StudySources } from './study-sources.ts';
import type { SeriesTally } from './whole-study.ts';
import type { OwnerCheck } from './whose-images.ts';

export interface ListQuestion {
  readonly studyUid: string;
  readonly rules: ImageRules;
  readonly checkOwner: OwnerCheck;
  /** The only series that may count; absent: any. */
  readonly series?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** What the image servers say of a study; kept is only what fits, for a study may have thousands of objects. */
export interface ListedImages {
  readonly fitting: readonly ImageAttributes[];
  /** Why the others do not fit, and how many each. */
  readonly misfits: ReadonlyMap<string, number>;
  /** Of every object, by Series Instance UID. */
  readonly bySeries: ReadonlyMap<string, SeriesTally>;
}

/**
 * Reads what is stated of every object of a study, wherever it lies and whether or not the ImagingStudy lists its series (DW-5), and
 * keeps those that fit. An object that cannot be understood ends the reading only where it may be one that is asked for.
 * Throws NoImage, and IMAGES_UNREACHABLE.
 */
export async function listImages(sources: StudySources, question: ListQuestion): Promise<ListedImages> {
  const fitting: ImageAttributes[] = [];
  const misfits = new Map<string, number>();
  const bySeries = new Map<string, Tallied>();
  const seen = new Set<string>();
  const { rules, checkOwner, series, signal } = question;

  for await (const { dataset, source, reader, seriesUid } of objectsOf(sources, question)) {
    const isAsked = rules.isModality(textOf(reader, 'Modality'));
    const image = await attributesOf(dataset, isAsked, (uri) => source.bulkData(uri, signal));
    const name = image?.sopInstanceUid ?? textOf(reader, 'SOPInstanceUID') ?? `object ${seen.size}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const tally = bySeries.get(seriesUid) ?? { objects: 0, additions: 0, results: 0, mayCount: false };
    bySeries.set(seriesUid, tally);
    tally.objects += 1;
    const seriesDescription = textOf(reader, 'SeriesDescription');
    const isResult = isResultObject({ seriesDescription, manufacturer: textOf(reader, 'Manufacturer') });
    if (isResult) tally.results += 1;
    if (isResult || (image !== undefined && rules.isAddition(image))) tally.additions += 1;
    else if (isAsked && image !== undefined) tally.mayCount = true;
    if (image === undefined) {
      count(misfits, 'by modality');
      continue;
    }
    if (isResult) {
      // Never read, so whose it is decides nothing: it says of the patient what was copied from an image, which is checked itself.
      count(misfits, 'as results of models');
      continue;
    }
    checkOwner(image);
    const misfit = series === undefined || series.has(seriesUid) ? judged(rules, image) : 'by body site';
    if (misfit === undefined) fitting.push(image);
    else count(misfits, misfit);
  }
  return { fitting, misfits, bySeries };
}

type Tallied = { -readonly [Name in keyof SeriesTally]-?: SeriesTally[Name] };

interface StatedObject {
  readonly dataset: DicomJson;
  readonly source: ImageSource;
  readonly reader: ElementReader;
  readonly seriesUid: string;
}

/** A series that has a server of its own is taken from there alone (DW-3). */
async function* objectsOf(
  { study, series }: StudySources,
  { studyUid, signal }: ListQuestion,
): AsyncIterable<StatedObject> {
  if (study !== undefined) {
    for await (const dataset of study.studyMetadata(studyUid, signal)) {
      const reader = elementReader(dataset);
      const seriesUid = textOf(reader, 'SeriesInstanceUID') ?? '';
      if (!series.has(seriesUid)) yield { dataset, source: study, reader, seriesUid };
    }
  }
  for (const [seriesUid, source] of series) {
    for await (const dataset of source.seriesMetadata(studyUid, seriesUid, signal)) {
      yield { dataset, source, reader: elementReader(dataset), seriesUid };
    }
  }
}

/** Undefined for an object that cannot be understood and is none that is asked for. */
async function attributesOf(
  dataset: DicomJson,
  isAsked: boolean,
  valueAt: (uri: string) => Promise<Uint8Array>,
): Promise<ImageAttributes | undefined> {
  try {
    return readImageAttributes(isAsked ? await inlineBulkData(dataset, valueAt) : dataset);
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    if (isAsked) throw new NoImage(error.because, error.message);
    return undefined;
  }
}

function judged({ judge }: ImageRules, image: ImageAttributes): string | undefined {
  try {
    return judge(image);
  } catch (error) {
    throw error instanceof ImageFault ? new NoImage(error.because, error.message) : error;
  }
}

/** Undefined too where it is no text. */
function textOf(reader: ElementReader, keyword: Parameters<ElementReader['text']>[0]): string | undefined {
  try {
    return reader.text(keyword);
  } catch (error) {
    if (error instanceof ImageFault) return undefined;
    throw error;
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
