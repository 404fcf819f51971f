import type { Manifest } from '../model-catalog/manifest-schema.ts';

/** What contributions are measured against, in words that follow "against". */
export function againstText({ explanation }: Manifest): string {
  if ('against' in explanation) return explanation.against;
  const parts = explanation.method === 'occlusion' && explanation.parts !== undefined;
  if (!parts) return 'the reference person of the model';
  const alone = Object.keys(explanation.reference).length === 0;
  return alone
    ? 'the same input without that part'
    : 'the reference person of the model, or the input without that part';
}

/** How the contributions of a model came about, and how they are to be read: one or two sentences. */
export function contributionMethod(manifest: Manifest): string {
  const { explanation, outcomes } = manifest;
  const isRisk = outcomes.some(({ kind }) => kind === 'probability' || kind === 'finding');
  const against = againstText(manifest);
  switch (explanation.method) {
    case 'occlusion':
      return (
        `Contributions: occlusion against the reference person, that is the difference in ${isRisk ? 'percentage points' : 'the score'} made by ` +
        `putting one input of the reference person (${personText(explanation.reference)}) in the place of this subject's. ` +
        partsText(explanation.parts) +
        `They do not add up to the ${isRisk ? 'risk' : 'score'}.`
      );
    case 'additive':
      return (
        `Contributions: exact, for the score is a sum of what each input gives: the difference made by the value of the reference person ` +
        `(${personText(explanation.reference)}). They add up to the difference from that person's score.`
      );
    case 'linear':
      return `Contributions: exact, each coefficient of the model times the difference of its input from the mean, against ${against}. They add up. ${grouped}`;
    case 'tree-shap':
      return `Contributions: TreeSHAP, the Shapley values of the inputs along the paths of the trees, against ${against}. They add up. ${grouped}`;
    case 'permutation-shapley':
      return `Contributions: Shapley values of the inputs, estimated from ${explanation.permutations} orders of them each way, against ${against}. They add up; each has a standard error.`;
  }
}

const grouped = 'Those of an input that fills several columns are one.';

/** What a reader of log-odds must know. */
export const logOddsRemark =
  'Contributions are in log-odds, not in percentage points: adding 0.69 doubles the odds, subtracting it halves them.';
export const marginRemark =
  "Contributions are on the model's own scale, before it becomes the score: they can be compared, but are no percentage points.";

function partsText(parts: readonly string[] | undefined): string {
  if (parts === undefined) return '';
  return `Of ${parts.join(', ')}: the difference made by each measurement in time, or word, against the same without it. `;
}

function personText(reference: Readonly<Record<string, unknown>>): string {
  return Object.entries(reference)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
