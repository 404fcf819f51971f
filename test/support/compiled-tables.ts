import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

const root = path.resolve(import.meta.dirname, '../..');

/** Files of our code whose tables and sentences say what a number is, or are what is shown of it. */
export const tableFiles = [
  'src/model-catalog/analytes.ts',
  'src/model-catalog/analyte-conversion.ts',
  'src/fhir/ucum.ts',
  'src/features/default-exclusions.ts',
  'src/features/suspect-unit.ts',
  'src/features/suspect-text.ts',
  'src/features/medication-standing.ts',
  'src/features/result-standing.ts',
  'src/features/todays-status.ts',
  'src/model-catalog/card/card-sections.ts',
  'src/model-catalog/card/card-words.ts',
  'src/results/image-text.ts',
  'src/results/narrative.ts',
  'src/results/remarks.ts',
  'src/results/risk-text.ts',
  'src/results/score-text.ts',
  'src/results/unit-text.ts',
  'src/results/percent.ts',
  'src/results/contribution-amount.ts',
  'src/results/contribution-method.ts',
  'src/results/detail-text.ts',
  'src/results/duration.ts',
  'src/results/input-frame.ts',
  'src/results/input-text.ts',
  'src/results/largest-contributions.ts',
  'src/results/observed-value.ts',
  'src/results/outcome-frame.ts',
  'src/results/result-frame.ts',
  'src/results/risk-prediction.ts',
  'src/results/amend-report.ts',
  'src/results/build-diagnostic-report.ts',
  'src/results/build-observation.ts',
  'src/results/build-risk-assessment.ts',
  'src/results/report-content.ts',
  'src/results/report-page.ts',
  'src/results/review-report.ts',
  'src/results/saliency-title.ts',
  'src/results/value-extensions.ts',
  'src/entrances/cds-hooks/card.ts',
  'src/entrances/cds-hooks/report-card.ts',
  'src/entrances/cds-hooks/report-unshown.ts',
  'src/entrances/cds-hooks/answer-found-study.ts',
  'src/entrances/cds-hooks/earlier-card.ts',
  'src/entrances/cds-hooks/answer-outcome.ts',
  'src/entrances/cds-hooks/outcome-cards.ts',
  'src/entrances/cds-hooks/risk-detail.ts',
  'src/entrances/cds-hooks/abstention-detail.ts',
  'src/entrances/cds-hooks/override-reasons.ts',
  'src/entrances/cds-hooks/signature.ts',
];

/** Folders whose every file is among those above or below, so that a new one is decided about. */
export const decidedFolders = ['src/results', 'src/entrances/cds-hooks'];

/** Files that say nothing in words about a number: they give results their form, or refuse calls. */
export const wordlessFiles = [
  'src/results/assert-result-valid.ts',
  'src/results/canonical-urls.ts',
  'src/results/build-result.ts',
  'src/results/derivable.ts',
  'src/results/image-part.ts',
  'src/results/plain-text.ts',
  'src/results/read-image-parts.ts',
  'src/results/report-finding.ts',
  'src/results/report-first-line.ts',
  'src/results/report-probability.ts',
  'src/results/report-identifier.ts',
  'src/results/report-media.ts',
  'src/results/report-risk.ts',
  'src/results/report-standing.ts',
  'src/results/report-to-keep.ts',
  'src/results/review-provenance.ts',
  'src/results/study-of.ts',
  'src/results/explanation-extension.ts',
  // About the model and its engine.
  'src/results/model-device.ts',
  'src/results/prediction-input.ts',
  'src/results/provenance.ts',
  'src/results/result-body.ts',
  'src/results/result-identifier.ts',
  'src/results/result-request.ts',
  'src/results/result-resource.ts',
  'src/results/result-times.ts',
  'src/results/score-level.ts',
  'src/results/source-reference.ts',
  'src/entrances/cds-hooks/answer-about.ts',
  'src/entrances/cds-hooks/answer-hook.ts',
  'src/entrances/cds-hooks/answer-study.ts',
  'src/entrances/cds-hooks/ask-for-report.ts',
  'src/entrances/cds-hooks/before.ts',
  'src/entrances/cds-hooks/card-suggestions.ts',
  'src/entrances/cds-hooks/cds-routes.ts',
  'src/entrances/cds-hooks/check-body.ts',
  'src/entrances/cds-hooks/check-fhir-server.ts',
  'src/entrances/cds-hooks/context-reader.ts',
  'src/entrances/cds-hooks/failed-search.ts',
  'src/entrances/cds-hooks/fill-template.ts',
  'src/entrances/cds-hooks/count-feedback.ts',
  'src/entrances/cds-hooks/give-way.ts',
  'src/entrances/cds-hooks/hook-error.ts',
  'src/entrances/cds-hooks/hook-focus.ts',
  'src/entrances/cds-hooks/hook-schemas.ts',
  'src/entrances/cds-hooks/hook-service.ts',
  'src/entrances/cds-hooks/most-urgent-first.ts',
  'src/entrances/cds-hooks/parse-feedback.ts',
  'src/entrances/cds-hooks/parse-hook-request.ts',
  'src/entrances/cds-hooks/prediction-request-from-hook.ts',
  'src/entrances/cds-hooks/read-prefetch.ts',
  'src/entrances/cds-hooks/read-search.ts',
  'src/entrances/cds-hooks/reading-limit.ts',
  'src/entrances/cds-hooks/unasked-keys.ts',
  'src/entrances/cds-hooks/shown-again.ts',
];

/** SHA-256 (hex) over every number and text of these files and the version of the UCUM tables; comments and names do not count. */
export function compiledTables(read: (file: string) => string = readSource): string {
  const digest = createHash('sha256');
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  digest.update(`ucum ${dependencies['@lhncbc/ucum-lhc']}\n`);
  for (const file of tableFiles) digest.update(`${JSON.stringify([file, literalsOf(read(file), file)])}\n`);
  return digest.digest('hex');
}

function readSource(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** In the order of the file; names of imported files are none of what is said. */
function literalsOf(text: string, file: string): readonly (string | number)[] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const literals: (string | number)[] = [];
  const imports = new Set(program.body.flatMap((node) => ('source' in node && node.source ? [node.source.start] : [])));
  new Visitor({
    Literal({ value, raw, start }) {
      if (!imports.has(start))
        literals.push(typeof value === 'number' || typeof value === 'string' ? value : (raw ?? ''));
    },
    TemplateElement({ value }) {
      literals.push(value.raw);
    },
  }).visit(program);
  return literals;
}
