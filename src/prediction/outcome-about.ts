import type { FeatureValue } from '../features/feature-vector.ts';
import { type ResultIdentity, resultIdentifier } from '../results/result-identifier.ts';
import { studyOf } from '../results/study-of.ts';

/** What an outcome is about, beside its subject: outcomes that agree in it, and in the model, supersede each other. */
export interface OutcomeAbout {
  readonly encounter?: string;
  readonly focus?: string;
  /** See OutcomeRecord.reportInputs. */
  readonly reportInputs?: string;
}

/**
 * `ImagingStudy/id` of the study that an outcome of a model with reports is about: the one of its images, or, where they name
 * none, the one that the call is about. A study that was withdrawn, or is gone, has a report all the same, which is not to
 * stand as current. Undefined for a model without reports, and where no study was found and none is asked about.
 */
export function studyAbout(
  isReport: boolean,
  inputs: Parameters<typeof studyOf>[0],
  focus: string | undefined,
): string | undefined {
  if (!isReport) return undefined;
  return studyOf(inputs) ?? (focus?.startsWith('ImagingStudy/') ? focus : undefined);
}

/**
 * A study has one report, whatever encounter or order a call names with it: outcomes of a model with reports are about the
 * study alone. What was made of the same at another instant is known by a hash that leaves out all that a call names, and
 * which versions the sources had: a study whose description is corrected is no other study.
 * @param study see `studyAbout`
 */
export function outcomeAbout(identity: ResultIdentity, study: string | undefined): OutcomeAbout {
  const { encounter, focus, inputs, ...same } = identity;
  if (study === undefined)
    return { ...(encounter === undefined ? {} : { encounter }), ...(focus === undefined ? {} : { focus }) };
  const features = new Map([...inputs.features].map(([name, value]) => [name, withoutSources(value)]));
  const what = { ...same, inputs: { ...inputs, features }, asOf: new Date(0) };
  return { focus: study, reportInputs: resultIdentifier(what) };
}

/** A text is known by its sources: see `resultIdentifier`. */
function withoutSources(value: FeatureValue): FeatureValue {
  return value.state === 'observed' && value.text !== undefined ? value : { ...value, sources: [] };
}
