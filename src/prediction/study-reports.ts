import { defaultExclusions } from '../features/default-exclusions.ts';
import { gatherRecord } from '../records/gather-record.ts';
import type { OutcomeGroup, OutcomeRow } from '../write-back/outcome-record.ts';
import type { ReadReport, ReportInShort } from '../write-back/read-report.ts';
import { dataSince } from './data-since.ts';
import { type FoundStudy, type NewestStudy, newestStudy } from './newest-study.ts';
import type { NamedModel } from './prediction-outcome.ts';
import type { PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { openOrigin } from './record-origin.ts';

/** What a model with reports has said of a study, and nothing has superseded. */
export interface StandingOutcome {
  readonly study: FoundStudy;
  readonly outcome: OutcomeRow;
  /** There where the outcome is scored. */
  readonly report?: ReportInShort;
  /** The server does not say of all that it rests on when it changed last. */
  readonly isUnchecked?: true;
}

/** Why a report that is there is shown to nobody: a person has rejected it, or somebody else has changed what it says. */
export type Unshown = 'rejected' | 'changed';

/** What is known of the newest study of a subject that a model with reports reads, without its images. */
export interface StudyReports {
  readonly model: NamedModel;
  readonly subjectBase: string;
  readonly asOf: Date;
  readonly study: FoundStudy;
  /** Its images are of other studies too: asked about this one alone the model would find none of theirs. */
  readonly isOneOfSeveral?: true;
  /** What this version says of it, and still may say: a score with its report, or an abstention. */
  readonly said?: StandingOutcome;
  readonly unshown?: Unshown;
  /** It has said something, and its study, its patient or what else it reads has changed since: that is said no more. */
  readonly hasChanged?: true;
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

/** Statuses of a report that says nothing any more. */
const withdrawn = ['cancelled', 'entered-in-error'];
/** An abstention may be over soon: images come, and what was missing too. */
const abstentionMs = 60_000;

/**
 * Looks up what a model with reports has said of the newest study that it reads, by the rules of its feature map; no image server is
 * asked. The record is read as a prediction reads it, with the rights of the call, and what was said of other data than it holds now
 * is said no more. Undefined where no study can be told
 * for certain, or no model may speak about the subject: a prediction says why, and reads no image either.
 * Throws what `findModel`, `openOrigin` and `gatherRecord` throw.
 */
export async function findStudyReports(
  parts: StudyReportParts,
  request: StudyReportRequest,
): Promise<StudyReports | undefined> {
  const { manifest, compiled, uses, queriesAt, digest } = parts.findModel(request.model, request.version);
  const { subject: id, encounter, signal } = request;
  const now = parts.clock.now();
  const asOf = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
  const queries = queriesAt(asOf);
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
    ...(newest.studies.length > 1 ? { isOneOfSeveral: true as const } : {}),
  };
  const outcome = speaking.find(({ focus }) => focus === newest.found.reference);
  const read = outcome === undefined ? undefined : await parts.report(outcome);
  if (outcome === undefined || (outcome.state === 'scored' && read === undefined))
    return { ...common, ...(await earlierOf()), isDue: true };
  const since = sinceOf(newest, outcome);
  const unshown = read === undefined ? undefined : unshownBecause(read);
  // What a person has rejected is not made again of the same data, nor is what somebody has changed written over.
  if (unshown !== undefined)
    return { ...common, ...(await earlierOf()), unshown, isDue: unshown === 'rejected' && since === 'changed' };
  if (since === 'changed') return { ...common, ...(await earlierOf()), hasChanged: true, isDue: true };
  const said = standing(newest.found, outcome, read, since);
  if (read !== undefined) return { ...common, said, isDue: false };
  const isOver = now.getTime() - outcome.computedAt.getTime() >= abstentionMs;
  return { ...common, ...(await earlierOf()), said, isDue: isOver };

  /** Models whose outputs are inputs may read other studies. */
  function sinceOf({ studies }: NewestStudy, made: OutcomeRow): ReturnType<typeof dataSince> {
    return dataSince(record, uses.length === 0 ? studies : record.byType('ImagingStudy'), made, parts.timeZone);
  }

  async function earlierOf(): Promise<Pick<StudyReports, 'earlier'>> {
    const others = speaking
      .flatMap((one) => {
        if (one.focus === newest?.found.reference || one.state !== 'scored') return [];
        const study = newestStudy(record, wanted, parts.timeZone, one.focus);
        return study === undefined ? [] : [{ study, outcome: one, since: sinceOf(study, one) }];
      })
      .filter(({ since: known }) => known !== 'changed')
      .toSorted((one, other) => other.study.start - one.study.start);
    for (const other of others) {
      const report = await parts.report(other.outcome);
      if (report !== undefined && unshownBecause(report) === undefined)
        return { earlier: standing(other.study.found, other.outcome, report, other.since) };
    }
    return {};
  }
}

function standing(
  study: FoundStudy,
  outcome: OutcomeRow,
  read: ReadReport | undefined,
  since: ReturnType<typeof dataSince>,
): StandingOutcome {
  return {
    study,
    outcome,
    ...(read === undefined ? {} : { report: read.report }),
    ...(since === 'unknown' ? { isUnchecked: true } : {}),
  };
}

function unshownBecause({ report, tampered }: ReadReport): Unshown | undefined {
  if (withdrawn.includes(report.status ?? '')) return 'rejected';
  return tampered ? 'changed' : undefined;
}
