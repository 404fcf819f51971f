import { escapeXhtml } from '../fhir/xhtml.ts';
import { type AppliedSite, siteSentence } from '../model-catalog/applied-site.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import { isRisk } from '../model-catalog/outcome-score.ts';
import { againstText, contributionMethod } from './contribution-method.ts';
import { type InputFrame, inputFrame } from './input-frame.ts';
import { type OutcomeFrame, outcomeFrame } from './outcome-frame.ts';
import type { FeatureLabel } from './result-request.ts';
import type { ResultResource } from './result-resource.ts';
import { createResultTimes, type TimesOf } from './result-times.ts';

/**
 * What all results of one model version have in common: made once, at load, and shared by all of them. Nobody changes a
 * part of a result. (They are not frozen: JSON.stringify takes twice as long for what is.)
 */
export interface ResultFrame {
  /** `Title (id version)` */
  readonly method: string;
  readonly methodXhtml: string;
  /** What a result of the model is. */
  readonly form: ResultResource['resourceType'];
  /** In the order of the manifest. */
  readonly outcomes: readonly OutcomeFrame[];
  /** By feature name. */
  readonly inputs: ReadonlyMap<string, InputFrame>;
  readonly timesOf: TimesOf;
  /** That the model is for no patient; its results are marked as test data. */
  readonly demonstration: string | undefined;
  /** That the model is superseded. */
  readonly superseded: string | undefined;
  /** That a site file adds to what the features read. */
  readonly site: string | undefined;
  /** How contributions came about. */
  readonly contributionMethod: string;
  /** What they are measured against, in words that follow `against`. */
  readonly against: string;
}

/**
 * @param features by name: the features of the map
 * @param site what a site file adds to it
 */
export function createResultFrame(
  manifest: Manifest,
  features: Readonly<Record<string, FeatureLabel>>,
  site?: AppliedSite,
): ResultFrame {
  const { id, version, title, outcomes } = manifest;
  const alone = outcomes.some(isRisk) ? 'RiskAssessment' : 'Observation';
  const form = manifest.report === undefined ? alone : 'DiagnosticReport';
  const method = `${title} (${id} ${version})`;
  return {
    method,
    methodXhtml: escapeXhtml(method),
    form,
    outcomes: outcomes.map((outcome) => outcomeFrame(manifest, outcome)),
    inputs: new Map(Object.entries(features).map(([name, label]) => [name, inputFrame(name, label)])),
    timesOf: createResultTimes(manifest),
    ...versionRemarks(manifest, site),
    contributionMethod: contributionMethod(manifest),
    against: againstText(manifest),
  };
}

/** What every result of a version says of it, whoever it is about. */
export function versionRemarks(
  { demonstration, supersededBy }: Pick<Manifest, 'demonstration' | 'supersededBy'>,
  site: AppliedSite | undefined,
): Pick<ResultFrame, 'demonstration' | 'superseded' | 'site'> {
  return {
    demonstration: demonstration && 'Demonstration model, not for clinical use.',
    superseded: supersededBy && `This model is superseded by ${supersededBy.model}: ${supersededBy.because}`,
    site: site && siteSentence(site),
  };
}
