import type { Finding } from '../finding.ts';
import { lackingSpread } from '../registration/golden-spread.ts';
import type { LintedModel } from './linted-model.ts';

/** Each outcome should have a low and a high golden case. For a probability load wants them too. */
export function checkGoldenSpread({ manifest, golden }: LintedModel): Finding[] {
  const cases = golden.flatMap(({ content }) => content.cases);
  return manifest.outcomes
    .filter(({ kind }) => kind !== 'probability')
    .flatMap((outcome) => lackingSpread(outcome, cases).map((message) => ({ file: 'golden', path: '', message })));
}
