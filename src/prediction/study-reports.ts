import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { defaultExclusions } from '../features/default-exclusions.ts';
import { instantRange } from '../fhir/instant-range.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { gatherRecord } from '../records/gather-record.ts';
import type { OutcomeGroup, OutcomeRow } from '../write-back/outcome-record.ts';
import type { ReadReport } from '../write-back/read-report.ts';
import { type FoundStudy, newestStudy } from './newest-study.ts';
import type { NamedModel } from './prediction-outcome.ts';
import type { PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { openOrigin } from './record-origin.ts';

/** What a model with reports has said of a study, and nothing has superseded. */
export interface StandingOutcome {
  readonly study: FoundStudy;
  readonly outcome: OutcomeRow;
  /** There where the outcome is scored. */
  readonly report?: DiagnosticReport & { id: string };
}

/** Why a report that is there is shown to nobody: a person has rejected it, or somebody else has changed what it says. */
export type Unshown = 'rejected' | 'changed';

/** What is known of the newest study of a subject that a model with reports reads, without its images. */
export interface StudyReports {
  readonly model: NamedModel;
  readonly subjectBase: string;
  readonly asOf: Date;
  readonly study: FoundStudy;
  /** What this version says of it, and still may say: a score with its report, or an abstention. */
  readonly said?: StandingOutcome;
  readonly unshown?: Unshown;
  /** Where the study has no report that may be shown: the newest one of an earlier study that the model reads too. */
  readonly earlier?: StandingOutcome;
  /** Whether the model is to be asked about the study, since it was not, or not as the study is now. */
  readonly isDue: boolean;
}

export interface StudyReportParts
  extends Pick<
    PredictionParts,
    'tenant' | 'source' | 'subjectBase' | 'openServer' | 'validate' | 'timeZone' | 'imaging' | 'clock' | 'findModel'
  > {
  /** See `findStudyOutcomes`. */
  readonly outcomes: (
    of: Pick<OutcomeGroup, 'tenant' | 'fhirBase' | 'subjectId' | 'modelId'>,
  ) => Promise<readonly OutcomeRow[]>;
  readonly report: (outcome: OutcomeRow) => Promise<ReadReport | undefined>;
}

export type StudyReportRequest = Pick<
  PredictionRequest,
  'model' | 'version' | 'subject' | 'encounter' | 'origin' | 'signal'
>;

/** What says whose studies there are, and whether any model may speak about their subject. */
const askedTypes: readonly RecordQuery['type'][] = ['ImagingStudy', 'Consent', 'Group'];
/** Statuses of a report that says nothing any more. */
const withdrawn = ['cancelled', 'entered-in-error'];
/** An abstention may be over soon: images come, and what was missing too. */
const abstentionMs = 60_000;

/**
 * Looks up what a model with reports has said of the newest study that it reads, by the rules of its feature map; no image server is
 * asked. The record is read as a prediction reads it, with the rights of the call. Undefined where no study can be told
 * for certain, or no model may speak about the subject: a prediction says why, and reads no image either.
 * Throws what `findModel`, `openOrigin` and `gatherRecord` throw.
 */
export async function findStudyReports(
  parts: StudyReportParts,
  request: StudyReportRequest,
): Promise<StudyReports | undefined> {
  const { manifest, compiled, queriesAt, digest } = parts.findModel(request.model, request.version);
  const { subject: id, encounter, signal } = request;
  const now = parts.clock.now();
  const asOf = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
  const queries = queriesAt(asOf).filter(({ type }) => askedTypes.includes(type));
  const origin = await openOrigin(parts, { origin: request.origin, subject: id, seed: [] }, queries);
  const record = await gatherRecord({
    source: origin.source,
    subject: { tenant: parts.tenant, base: origin.source.base, id },
    queries,
    seed: origin.seed,
    asOf,
    ...(encounter === undefined ? {} : { encounter }),
    ...(signal === undefined ? {} : { signal }),
  }).finally(origin.close);
  const wanted = Object.values(compiled.map.features).filter((each) => each.kind === 'image');
  const isUnread = parts.imaging === undefined || origin.unverified;
  if (isUnread || defaultExclusions(record, asOf.getTime(), parts.timeZone).length > 0) return undefined;
  const newest = newestStudy(record, wanted, parts.timeZone);
  if (newest === undefined) return undefined;

  const outcomes = await parts.outcomes({
    tenant: parts.tenant,
    fhirBase: origin.subjectBase,
    subjectId: id,
    modelId: manifest.id,
  });
  const speaking = outcomes.filter(({ modelDigest, validUntil }) => modelDigest === digest && validUntil > now);
  const common = {
    model: { id: manifest.id, version: manifest.version, digest },
    subjectBase: origin.subjectBase,
    asOf,
    study: newest.found,
  };
  const outcome = speaking.find(({ focus }) => focus === newest.found.reference);
  const read = outcome === undefined ? undefined : await parts.report(outcome);
  const hasChanged = outcome !== undefined && changedAfter(newest.study, outcome.computedAt, parts.timeZone);
  if (outcome?.state === 'abstained') {
    const isOver = now.getTime() - outcome.computedAt.getTime() >= abstentionMs;
    const said = { study: newest.found, outcome };
    return { ...common, ...(await earlierOf()), said, isDue: isOver || hasChanged };
  }
  if (outcome !== undefined && read !== undefined) {
    const unshown = unshownBecause(read);
    if (unshown === undefined)
      return { ...common, said: { study: newest.found, outcome, report: read.report }, isDue: hasChanged };
    // What a person has rejected is not made again of the same images, nor is what somebody has changed written over.
    return { ...common, ...(await earlierOf()), unshown, isDue: unshown === 'rejected' && hasChanged };
  }
  return { ...common, ...(await earlierOf()), isDue: true };

  async function earlierOf(): Promise<Pick<StudyReports, 'earlier'>> {
    const others = speaking
      .flatMap((one) => {
        if (one.focus === newest?.found.reference || one.state !== 'scored') return [];
        const study = newestStudy(record, wanted, parts.timeZone, one.focus);
        return study === undefined ? [] : [{ study, outcome: one }];
      })
      .toSorted((one, other) => other.study.start - one.study.start);
    for (const other of others) {
      const report = await parts.report(other.outcome);
      if (report !== undefined && unshownBecause(report) === undefined)
        return { earlier: { study: other.study.found, outcome: other.outcome, report: report.report } };
    }
    return {};
  }
}

function unshownBecause({ report, tampered }: ReadReport): Unshown | undefined {
  if (withdrawn.includes(report.status ?? '')) return 'rejected';
  return tampered ? 'changed' : undefined;
}

/** A study that does not say when it changed last has not changed, as far as is known. */
function changedAfter({ meta }: ImagingStudy, instant: Date, timeZone: string): boolean {
  const changed = meta?.lastUpdated === undefined ? undefined : instantRange(meta.lastUpdated, timeZone);
  return changed !== undefined && changed.start > instant.getTime();
}
