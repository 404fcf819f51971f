import type { DicomJson } from '../dicom/dicom-json.ts';
import { elementReader } from '../dicom/element-reader.ts';
import { statedPatient } from '../dicom/stated-patient.ts';
import type { ImageSource } from '../dicomweb/image-sources.ts';
import type { PixelWorkers } from '../preprocess/pixel-workers.ts';
import { ownerMarks, type StatedOwner } from '../study/owner-mark.ts';
import type { ReportContent } from './comprehensive-report.ts';
import { copiedAttributes } from './copied-attributes.ts';
import type { ReadObject } from './image-references.ts';
import type { ObjectsJob, StoredPicture } from './make-objects.ts';
import { captureOf, documentOf, type NamedObject, type ObjectRole, roleSeriesUid } from './object-names.ts';
import type { ResultOrigin } from './result-origin.ts';

type OfReport = 'identifier' | 'report' | 'version' | 'model' | 'computedAt' | 'issuedAt';

/** One version of a report, as its objects say it. */
export interface ReportToKeep extends Pick<ResultOrigin, OfReport> {
  readonly studyInstanceUid: string;
  /** What its images were made of; at least one. */
  readonly objects: readonly ReadObject[];
  /** Under whom they were filed when they were read: see `ownerMark`. */
  readonly owners: readonly string[];
  readonly content: ReportContent;
  readonly pictures: readonly StoredPicture[];
}

export interface KeepingParts extends Pick<ResultOrigin, 'software' | 'timeZone'> {
  readonly source: Pick<ImageSource, 'seriesMetadata' | 'store'>;
  readonly workers: Pick<PixelWorkers, 'objects'>;
}

/** What a server has of a report after a version of it was sent, and what it does not keep, with its FailureReason where it gives one. */
export interface Keeping {
  readonly kept: readonly NamedObject[];
  readonly refused: readonly (NamedObject & { readonly reason?: number })[];
  /** UIDs of pictures that are there of other predictions: unlike a document, none of them names what has taken its place. */
  readonly outdated: readonly string[];
}

/** Why nothing was sent. */
export type Unsent = 'no-images' | 'another-patient';

/**
 * Makes what the server does not have yet of a version of a report, and sends it there: the server itself says what it has, so that
 * what is sent again is no second object, whatever was forgotten here. Patient and study are copied from the images as the server has
 * them. A document names the newest other one there as its predecessor. A word where nothing was sent: the server does not have all the
 * images that the report is of, or files one of them under somebody else than when it was read.
 * Throws IMAGES_UNREACHABLE, ImageFault, and what PixelWorkers throw.
 */
export async function keepObjects(
  { source, workers, software, timeZone }: KeepingParts,
  report: ReportToKeep,
  roles: readonly ObjectRole[],
  signal?: AbortSignal,
): Promise<Keeping | Unsent> {
  const { identifier, version, content, pictures } = report;
  const captures = roles.includes('secondary-capture')
    ? pictures.map((picture) => ({ ...captureOf(identifier, picture.number), picture }))
    : [];
  const documents = roles.includes('structured-report') ? [documentOf(identifier, version)] : [];
  const wanted: readonly NamedObject[] = [...captures, ...documents];
  const there = await findObjects(source, report, roles, signal);
  const uids = new Set(there.map(({ sopInstanceUid }) => sopInstanceUid));
  const current = new Set(pictures.map(({ number }) => captureOf(identifier, number).sopInstanceUid));
  const outdated = there.flatMap(({ role, sopInstanceUid }) =>
    role === 'secondary-capture' && !current.has(sopInstanceUid) ? [sopInstanceUid] : [],
  );
  const isMissing = ({ sopInstanceUid }: NamedObject): boolean => !uids.has(sopInstanceUid);
  const missing = wanted.filter(isMissing);
  if (missing.length === 0) return { kept: wanted.map(nameAndUid), refused: [], outdated };

  const images = await statedOfImages(source, report, signal);
  if (typeof images === 'string') return images;
  const predecessor = newestOther(documentOf(identifier, version), there);
  const job: ObjectsJob = {
    origin: { ...originOf(report), source: images.source, software, timeZone },
    pictures: captures.filter(isMissing).map(({ picture }) => picture),
    drawnOver: images.drawnOver,
    ...(documents.some(isMissing) ? { content } : {}),
    ...(predecessor === undefined ? {} : { predecessor }),
  };
  const files = await workers.objects(job, { lane: 'back', ...(signal === undefined ? {} : { signal }) });
  const told = await source.store(files, signal);
  for (const uid of told.stored) uids.add(uid);
  return {
    outdated,
    kept: wanted.filter((one) => !isMissing(one)).map(nameAndUid),
    refused: missing.filter(isMissing).map((one) => {
      const reason = told.refused.find(({ sopInstanceUid }) => sopInstanceUid === one.sopInstanceUid)?.reason;
      return { ...nameAndUid(one), ...(reason === undefined ? {} : { reason }) };
    }),
  };
}

/** An object of any version of a report, as a server has it. */
export interface ObjectThere {
  readonly role: ObjectRole;
  readonly sopInstanceUid: string;
  /** InstanceNumber: of a document the version of its report. */
  readonly number: number;
  /** When it was made, by the clock of its study: ContentDate and ContentTime as they stand; empty where they do not. */
  readonly at: string;
}

/** What the server has of any version of a report. Throws IMAGES_UNREACHABLE. */
export async function findObjects(
  source: Pick<ImageSource, 'seriesMetadata'>,
  { studyInstanceUid, report }: Pick<ReportToKeep, 'studyInstanceUid' | 'report'>,
  roles: readonly ObjectRole[],
  signal?: AbortSignal,
): Promise<readonly ObjectThere[]> {
  const there: ObjectThere[] = [];
  for (const role of roles) {
    for await (const dataset of source.seriesMetadata(
      studyInstanceUid,
      roleSeriesUid(report, studyInstanceUid, role),
      signal,
    )) {
      const reader = elementReader(dataset);
      const sopInstanceUid = reader.text('SOPInstanceUID');
      if (sopInstanceUid !== undefined)
        there.push({
          role,
          sopInstanceUid,
          number: reader.number('InstanceNumber') ?? 0,
          at: `${reader.text('ContentDate') ?? ''}${reader.text('ContentTime') ?? ''}`,
        });
    }
  }
  return there;
}

/** By its instant, for a report that was deleted and made anew counts its versions from 1 again. */
function newestOther(document: NamedObject, there: readonly ObjectThere[]): string | undefined {
  const others = there.filter(
    ({ role, sopInstanceUid }) => role === 'structured-report' && sopInstanceUid !== document.sopInstanceUid,
  );
  others.sort((one, other) => (one.at === other.at ? other.number - one.number : one.at < other.at ? 1 : -1));
  return others[0]?.sopInstanceUid;
}

interface StatedOfImages {
  /** What is copied from one of them. */
  readonly source: DicomJson;
  readonly drawnOver: ObjectsJob['drawnOver'];
}

/** What the server states of the images of a report, where it has all of them and still under whom they were read. */
async function statedOfImages(
  source: Pick<ImageSource, 'seriesMetadata'>,
  { studyInstanceUid, objects, owners }: ReportToKeep,
  signal: AbortSignal | undefined,
): Promise<StatedOfImages | Unsent> {
  const missing = new Set(objects.map(({ sopInstanceUid }) => sopInstanceUid));
  const annotations = new Set<string | undefined>();
  const stated: StatedOwner[] = [];
  let lossy = false;
  let copied: DicomJson | undefined;
  for (const series of new Set(objects.map(({ seriesInstanceUid }) => seriesInstanceUid))) {
    for await (const dataset of source.seriesMetadata(studyInstanceUid, series, signal)) {
      const reader = elementReader(dataset);
      const uid = reader.text('SOPInstanceUID');
      if (uid === undefined || !missing.delete(uid)) continue;
      stated.push(statedPatient(reader));
      annotations.add(reader.text('BurnedInAnnotation'));
      lossy ||= reader.text('LossyImageCompression') === '01';
      if (uid === objects[0]?.sopInstanceUid) copied = whatIsCopied(dataset);
    }
  }
  if (missing.size > 0 || copied === undefined) return 'no-images';
  if (ownerMarks(studyInstanceUid, stated).some((mark) => !owners.includes(mark))) return 'another-patient';
  const burnedIn = annotations.has('YES') ? 'YES' : annotations.size === 1 && annotations.has('NO') ? 'NO' : undefined;
  return {
    source: copied,
    drawnOver: { lossy, ...(burnedIn === undefined ? {} : { burnedInAnnotation: burnedIn }) },
  };
}

/** No more than an object says: the data set of an enhanced image has megabytes. */
function whatIsCopied(dataset: DicomJson): DicomJson {
  const offset = dataset['00080201'];
  return { ...copiedAttributes(dataset), ...(offset === undefined ? {} : { '00080201': offset }) };
}

function originOf({ identifier, report, version, objects, model, computedAt, issuedAt }: ReportToKeep) {
  return { identifier, report, version, objects, model, computedAt, issuedAt };
}

function nameAndUid({ name, sopInstanceUid }: NamedObject): NamedObject {
  return { name, sopInstanceUid };
}
