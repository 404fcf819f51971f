import type { FeatureMap } from '../feature-map-schema.ts';
import type { InspectedModel } from '../inspect-model-folder.ts';
import type { Manifest } from '../manifest-schema.ts';
import type { ModelCard } from '../model-card-schema.ts';
import type { SiteFile } from '../read-site-file.ts';
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
import { checkReview } from './check-review.ts';
import { checkSiteUse, checkStandardCodes, codesOfSite } from './check-site-use.ts';
import { checkSnomedCodes } from './check-snomed-codes.ts';
import { checkTexts } from './check-texts.ts';
import { checkUnits } from './check-units.ts';
import { checkUnreadFeatures } from './check-unread-features.ts';
import { checkUnreadNames } from './check-unread-names.ts';
import { type CodeUse, codesOfFeatureMap, codesOfManifest, codesOfValueSets } from './code-uses.ts';
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
const nameRules: readonly LintRule<InspectedModel>[] = [
  {
    name: 'code-list-unread',
    severity: 'error',
    check: ({ featureMapFile, valueSets }) =>
      featureMapFile === undefined ? [] : checkUnreadNames(featureMapFile, valueSets),
  },
];
const siteRules: readonly LintRule<SiteFile>[] = [
  { name: 'site-standard-code', severity: 'warning', check: checkStandardCodes },
];
const modelRules: readonly LintRule<LintedModel>[] = [
  { name: 'feature-unread', severity: 'error', check: checkUnreadFeatures },
  { name: 'direction-name', severity: 'error', check: checkDirectionNames },
  { name: 'text-unread', severity: 'warning', check: checkTexts },
];
/** Only where every golden file could be read. */
const goldenRules: readonly LintRule<LintedModel>[] = [
  { name: 'golden-spread', severity: 'warning', check: checkGoldenSpread },
  { name: 'golden-plausible', severity: 'warning', check: checkGoldenPlausible },
];

/**
 * Applies every rule to the parts of a model version that could be read. Nothing is run.
 * @param today `YYYY-MM-DD`
 */
export function lintRules(inspected: InspectedModel, today: string): LintFinding[] {
  const { files, card, manifest, featureMapFile, featureMap, golden } = inspected;
  const apply = <Subject>(rules: readonly LintRule<Subject>[], subject: Subject): LintFinding[] =>
    rules.flatMap((rule) => applyRule(rule, subject));
  const findings = apply(fileRules, files);
  const reviews: LintRule<ModelCard> = {
    name: 'review-overdue',
    severity: 'warning',
    check: (subject) => checkReview(subject, today),
  };
  if (card !== undefined) findings.push(...applyRule(reviews, card));
  if (manifest !== undefined)
    findings.push(...apply(manifestRules, manifest), ...apply(codeRules, codesOfManifest(manifest)));
  if (featureMap !== undefined) findings.push(...apply(featureMapRules, featureMap));
  if (featureMapFile !== undefined) findings.push(...apply(codeRules, codesOfFeatureMap(featureMapFile)));
  findings.push(...apply(codeRules, codesOfValueSets(inspected.valueSets)), ...apply(nameRules, inspected));
  if (featureMap === undefined || manifest === undefined) return findings;
  const read = golden.flatMap(({ file, content }) => (content === undefined ? [] : [{ file, content }]));
  const model = { manifest, featureMap, golden: read };
  findings.push(...apply(modelRules, model));
  if (read.length === golden.length) findings.push(...apply(goldenRules, model));
  return findings;
}

/** Applies every rule to a site file, and to what the model reads of it. */
export function lintSite(site: SiteFile, { featureMapFile, featureMap }: InspectedModel): LintFinding[] {
  const findings = codeRules.flatMap((rule) => applyRule(rule, codesOfSite(site)));
  findings.push(...siteRules.flatMap((rule) => applyRule(rule, site)));
  if (featureMapFile === undefined || featureMap === undefined) return findings;
  const use: LintRule<SiteFile> = {
    name: 'site-unit-unread',
    severity: 'warning',
    check: (subject) => checkSiteUse(subject, featureMapFile, featureMap),
  };
  return [...findings, ...applyRule(use, site)];
}
