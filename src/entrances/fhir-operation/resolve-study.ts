import type { ImagingStudy } from '@medplum/fhirtypes';
import { hasStudyUid, type NamedStudy, studyUidSearch } from '../../fhir/studies/named-study.ts';
import type { StudyIndex } from '../../fhir/studies/study-index.ts';
import { studySubject } from '../../fhir/studies/study-subject.ts';
import { type DataNeed, insufficientScope, reachOf } from '../../http/access/fhir-data.ts';
import type { Principal } from '../../http/principal.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionRequest, Seed } from '../../prediction/prediction-request.ts';
import type { AskedPrediction } from './prediction-request-from-parameters.ts';

export interface StudyResolution {
  /** The record source's. */
  readonly studies: StudyIndex;
  /** Whether the model that is asked for reads images. Throws MODEL_UNKNOWN. */
  readonly readsImages: () => boolean;
  readonly principal: Principal;
}

/**
 * The request with the study that it is about, and with the subject of that study. A study among the resources of the call
 * counts before the server is asked; that it does not contradict the server's own is for `gather` to see.
 * Throws PARAMETER_INVALID, RESOURCE_UNKNOWN where there is no such study, MULTIPLE_MATCHES for a UID of several, SUBJECT_FOREIGN
 * where it is of another patient than the call names, SUBJECT_UNKNOWN where it names none, FORBIDDEN, RECORD_UNREACHABLE.
 */
export async function resolveStudy(asked: AskedPrediction, by: StudyResolution): Promise<PredictionRequest> {
  const { request, subject, study: named, studyIsSent } = asked;
  if (named === undefined && studyIsSent === undefined) {
    if (subject === undefined) throw new Error('a call without a subject and without a study was let through');
    return { ...request, subject: subject.id };
  }
  if (!by.readsImages())
    throw invalid(
      `${request.model} reads no images, so it can say nothing of a study. Ask it at Patient/[id]/$predict, or ask a model that reads images.`,
    );
  const study = named === undefined ? theOneSent(request.seed) : await find(named, asked, by);
  const { id } = study;
  if (id === undefined)
    throw invalid('The ImagingStudy in the call has no id, by which its result could name it. Send it with its id.');
  const owner = studySubject(study, by.studies.bases);
  requireReach(by.principal, owner, id);
  if (owner === undefined)
    throw new PredictionError(
      'SUBJECT_UNKNOWN',
      `ImagingStudy/${id} names no Patient of this server as its subject, so that nobody can be predicted about. Correct ImagingStudy.subject.`,
    );
  if (subject !== undefined && subject.id !== owner) {
    const message = `ImagingStudy/${id} is of another patient than the one that the call names. Leave out 'subject', or name the study of that patient.`;
    throw new PredictionError('SUBJECT_FOREIGN', message, {
      issues: [{ message, ...(subject.expression === undefined ? {} : { expression: subject.expression }) }],
    });
  }
  return { ...request, subject: owner, focus: `ImagingStudy/${id}` };
}

function sentStudies(seed: readonly Seed[]): ImagingStudy[] {
  return seed.flatMap(({ resource }) => (resource.resourceType === 'ImagingStudy' ? [resource] : []));
}

/** OP-3: at ImagingStudy, without an id, the study is among the resources of the call. */
function theOneSent(seed: readonly Seed[]): ImagingStudy {
  const sent = sentStudies(seed);
  const [study] = sent;
  if (study !== undefined && sent.length === 1) return study;
  throw invalid(
    sent.length === 0
      ? "ImagingStudy/$predict needs the parameter 'study', or an ImagingStudy as 'resource'."
      : `The call holds ${sent.length} ImagingStudies; say by the parameter 'study' which one the prediction is about.`,
    'required',
  );
}

async function find(named: NamedStudy, { request }: AskedPrediction, by: StudyResolution): Promise<ImagingStudy> {
  const fits = (study: ImagingStudy): boolean =>
    'id' in named ? study.id === named.id : hasStudyUid(study, named.uid);
  const sent = sentStudies(request.seed).filter(fits);
  const [held] = sent;
  if (sent.length > 1 && 'uid' in named) throw several(named.uid);
  if (held !== undefined) return held;
  if (request.origin?.from === 'caller')
    throw invalid(
      'The study that the call is about is not among its resources, and with useServerData false nobody else is asked. Send it.',
    );
  requireScopes(by.principal, 'id' in named ? ['r'] : ['r', 's']);
  const found = 'id' in named ? await by.studies.read(named.id) : await findByUid(named.uid, by.studies);
  if (found === undefined) throw unknownStudy('id' in named ? `ImagingStudy/${named.id}` : 'ImagingStudy of this UID');
  return found;
}

async function findByUid(uid: string, studies: StudyIndex): Promise<ImagingStudy | undefined> {
  const found = new Map<string, ImagingStudy>();
  for await (const page of studies.search(studyUidSearch(uid)))
    for (const study of page) if (study.id !== undefined && hasStudyUid(study, uid)) found.set(study.id, study);
  if (found.size > 1) throw several(uid);
  const [study] = found.values();
  return study;
}

function requireScopes(principal: Principal, interactions: readonly DataNeed['interaction'][]): void {
  const missing = interactions
    .map((interaction): DataNeed => ({ type: 'ImagingStudy', interaction }))
    .filter(({ type, interaction }) => reachOf(principal, type, interaction).of === 'nobody');
  if (missing.length > 0) throw insufficientScope(missing);
}

/** Whoever may read about one patient only is told of a study of another one what is told of a study that is not there. */
function requireReach(principal: Principal, owner: string | undefined, id: string): void {
  const reach = reachOf(principal, 'ImagingStudy', 'r');
  if (reach.of === 'patient' && reach.id !== owner) throw unknownStudy(`ImagingStudy/${id}`);
}

function unknownStudy(name: string): PredictionError {
  const message = `There is no ${name} at the record source. Send an id or a Study Instance UID that it has there.`;
  return new PredictionError('RESOURCE_UNKNOWN', message, { issues: [{ message }] });
}

function several(uid: string): PredictionError {
  return new PredictionError(
    'MULTIPLE_MATCHES',
    `Several ImagingStudies have the Study Instance UID ${uid}. Name the one that is meant as ImagingStudy/[id].`,
  );
}

function invalid(message: string, code = 'invalid'): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code, message, expression: 'Parameters.parameter' }],
  });
}
