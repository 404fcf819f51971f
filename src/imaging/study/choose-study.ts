import type { ImagingStudy } from '@medplum/fhirtypes';
import { compileTokens, type TokenTest } from '../../fhir/codes.ts';
import { type InstantRange, instantRange } from '../../fhir/instant-range.ts';
import type { ImageDefinition } from '../../model-catalog/image-schema.ts';
import { before } from '../../model-catalog/record-queries.ts';
import type { ClinicalRecord } from '../../records/clinical-record.ts';
import { NoImage } from '../image-reading.ts';

export interface ChosenStudy {
  readonly study: ImagingStudy;
  /** When it began, as the resource gives it. */
  readonly at: string;
  /** UIDs of the series that show the body site that is asked for; absent where none is. */
  readonly series?: ReadonlySet<string>;
}

export interface StudyQuestion {
  readonly wanted: ImageDefinition['study'];
  /** `ImagingStudy/17` where the prediction is about that one. */
  readonly focus?: string;
  /** IANA zone in which dates without a time are read. */
  readonly timeZone: string;
}

type Asked = Pick<ClinicalRecord, 'asOf' | 'byType'>;

/** Statuses of what is no study of anybody (DW-1). */
const never: readonly string[] = ['cancelled', 'entered-in-error'];

/**
 * The study that a prediction is about, or else the newest that fits: begun inside the window and not after as-of, with the
 * modality and the body site that are asked for, and available (DW-1, DW-26). Every doubt about which one that is is a reason, never
 * a reason to take another one.
 * Throws NoImage, with the study where one was chosen and gives no image.
 */
export function chooseStudy(record: Asked, { wanted, focus, timeZone }: StudyQuestion): ChosenStudy {
  const asOf = record.asOf.getTime();
  const from = before(record.asOf, wanted.window).getTime();
  const rangeOf = (date: string | undefined): InstantRange | undefined =>
    date === undefined ? undefined : instantRange(date, timeZone);
  const isSite = wanted.bodySite === undefined ? undefined : compileTokens(wanted.bodySite);
  const about = focus?.startsWith('ImagingStudy/') === true ? focus.slice('ImagingStudy/'.length) : undefined;
  const studies = record.byType('ImagingStudy').filter(({ id }) => about === undefined || id === about);
  if (about !== undefined && studies.length === 0)
    throw new NoImage('not-found', 'the ImagingStudy that the call is about is not in the record of the subject');

  const candidates = studies.filter((study) => !never.includes(study.status) && mayHave(study, wanted.modality));
  const undated: ImagingStudy[] = [];
  const dated: Dated[] = [];
  for (const study of candidates) {
    const time = rangeOf(study.started);
    if (time === undefined || study.started === undefined) undated.push(study);
    else if (time.start <= asOf && time.end > from) dated.push({ study, at: study.started, time });
  }
  const newestStart = Math.max(Number.NEGATIVE_INFINITY, ...dated.map(({ time }) => time.start));
  const perhapsNewer = undated.filter(({ meta }) => (rangeOf(meta?.lastUpdated)?.end ?? asOf) > newestStart);
  if (perhapsNewer.length > 0)
    throw new NoImage('time-unknown', 'a study that may be the newest does not say when it began');
  const newest = dated.filter(({ time }) => time.end > newestStart);
  const [chosen] = newest;
  if (chosen === undefined) throw notFound(about !== undefined, wanted);
  if (newest.length > 1) throw new NoImage('several-images', `${newest.length} studies may be the newest that fits`);
  if (chosen.time.start < from)
    throw new NoImage('time-unknown', 'the date of the newest study may lie before the window or in it');
  return available(chosen, isSite);
}

interface Dated {
  readonly study: ImagingStudy;
  /** When it began, as it is written there. */
  readonly at: string;
  readonly time: InstantRange;
}

function available({ study, at }: Dated, isSite: TokenTest | undefined): ChosenStudy {
  if ((study.modifierExtension ?? []).length > 0)
    throw new NoImage('undecodable', 'the newest study carries a modifier that is not known here', study);
  if (study.status !== 'available')
    throw new NoImage('study-incomplete', `the newest study is ${study.status}, not available`, study);
  return isSite === undefined ? { study, at } : { study, at, series: seriesOfSite(study, isSite) };
}

/** Whether it says that it has one of the modalities, or says nothing of them: then its images do (DW-5). */
function mayHave({ modality = [], series = [] }: ImagingStudy, wanted: readonly string[]): boolean {
  const stated = [...modality, ...series.map((one) => one.modality)].flatMap((coding) => coding?.code ?? []);
  return stated.length === 0 || stated.some((code) => wanted.includes(code.toUpperCase()));
}

/** Throws NoImage where no series shows the body site, or one does not say what it shows. */
function seriesOfSite(study: ImagingStudy, isSite: TokenTest): ReadonlySet<string> {
  const { series = [] } = study;
  const silent = series.some(({ bodySite }) => bodySite?.code === undefined);
  if (series.length === 0 || silent)
    throw new NoImage('undecodable', 'the newest study does not say which body site each of its series shows', study);
  const fitting = series.filter(({ bodySite }) => bodySite !== undefined && isSite({ coding: [bodySite] }));
  if (fitting.length === 0)
    throw new NoImage(
      'no-matching-image',
      'no series of the newest study shows the body site that is asked for',
      study,
    );
  return new Set(fitting.map(({ uid }) => uid));
}

function notFound(isAbout: boolean, { modality, window }: ImageDefinition['study']): NoImage {
  const what = `of modality ${modality.join(' or ')} that began within ${window} before as-of`;
  return isAbout
    ? new NoImage('no-matching-image', `the study that the call is about is none ${what}`)
    : new NoImage('not-found', `no study ${what}`);
}
