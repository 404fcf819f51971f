import type { FeatureMap } from '../feature-map-schema.ts';
import type { InspectedModel } from '../inspect-model-folder.ts';
import type { Manifest } from '../manifest-schema.ts';
import { checkCodeSystems } from './check-code-systems.ts';
import { checkConversions } from './check-conversions.ts';
import { checkDirectionNames } from './check-direction-names.ts';
import { checkGoldenPlausible } from './check-golden-plausible.ts';
import { checkGoldenSpread } from './check-golden-spread.ts';
import { checkLabels } from './check-labels.ts';
import { checkLoincCodes } from './check-loinc-codes.ts';
import { checkMissingReasons } from './check-missing-reasons.ts';
import { checkOutcomeCodings } from './check-outcome-codings.ts';
import { checkPopulationRanges } from './check-population-ranges.ts';
import { checkRepeatedKeys } from './check-repeated-keys.ts';
import { checkSnomedCodes } from './check-snomed-codes.ts';
import { checkUnits } from './check-units.ts';
import { checkUnreadFeatures } from './check-unread-features.ts';
import { type CodeUse, codesOfFeatureMap, codesOfManifest } from './code-uses.ts';
import { applyRule, type LintFinding, type LintRule } from './lint-rule.ts';
import type { LintedModel } from './linted-model.ts';

const fileRules: readonly LintRule<InspectedModel['files']>[] = [
  { name: 'key-repeated', severity: 'error', check: checkRepeatedKeys },
];
const codeRules: readonly LintRule<readonly CodeUse[]>[] = [
  { name: 'code-system', severity: 'error', check: checkCodeSystems },
  { name: 'loinc-code', severity: 'error', check: checkLoincCodes },
  { name: 'snomed-code', severity: 'error', check: checkSnomedCodes },
];
const featureMapRules: readonly LintRule<FeatureMap>[] = [
  { name: 'ucum-unit', severity: 'error', check: checkUnits },
  { name: 'conversion-factor', severity: 'error', check: checkConversions },
  { name: 'label-repeated', severity: 'error', check: checkLabels },
  { name: 'population-plausible', severity: 'error', check: checkPopulationRanges },
  { name: 'missing-reason', severity: 'warning', check: checkMissingReasons },
];
const manifestRules: readonly LintRule<Manifest>[] = [
  { name: 'outcome-coding', severity: 'warning', check: checkOutcomeCodings },
];
const modelRules: readonly LintRule<LintedModel>[] = [
  { name: 'feature-unread', severity: 'error', check: checkUnreadFeatures },
  { name: 'direction-name', severity: 'error', check: checkDirectionNames },
];
/** Only where every golden file could be read. */
const goldenRules: readonly LintRule<LintedModel>[] = [
  { name: 'golden-spread', severity: 'warning', check: checkGoldenSpread },
  { name: 'golden-plausible', severity: 'warning', check: checkGoldenPlausible },
];

/** Applies every rule to the parts of a model version that could be read. Nothing is run. */
export function lintRules({ files, manifest, featureMap, golden }: InspectedModel): LintFinding[] {
  const apply = <Subject>(rules: readonly LintRule<Subject>[], subject: Subject): LintFinding[] =>
    rules.flatMap((rule) => applyRule(rule, subject));
  const findings = apply(fileRules, files);
  if (manifest !== undefined)
    findings.push(...apply(manifestRules, manifest), ...apply(codeRules, codesOfManifest(manifest)));
  if (featureMap === undefined) return findings;
  findings.push(...apply(featureMapRules, featureMap), ...apply(codeRules, codesOfFeatureMap(featureMap)));
  if (manifest === undefined) return findings;
  const read = golden.flatMap(({ file, content }) => (content === undefined ? [] : [{ file, content }]));
  const model = { manifest, featureMap, golden: read };
  findings.push(...apply(modelRules, model));
  if (read.length === golden.length) findings.push(...apply(goldenRules, model));
  return findings;
}
