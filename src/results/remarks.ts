import { clippedTo } from '../model-catalog/column-value.ts';
import { inputColumns } from '../model-catalog/model-tensors.ts';
import { logOddsRemark, marginRemark } from './contribution-method.ts';
import type { ResultRequest } from './result-request.ts';

export const preliminary = 'AI-generated, preliminary: not verified by a person.';

/** What a reader must know beside the numbers, one sentence or two each, most important first (RA-6). */
export function remarks(request: ResultRequest): string[] {
  const { frame, inputs, explanation } = request;
  const said: string[] = [preliminary];
  if (request.testData) said.push('Test data: about no real person, not for clinical use.');
  if (frame.demonstration !== undefined) said.push(frame.demonstration);
  if (request.heldByCaller) said.push(callersWord);
  said.push(...whatIf(request));
  if (frame.superseded !== undefined) said.push(frame.superseded);
  if (frame.site !== undefined) said.push(frame.site);
  for (const [state, title] of detailed) {
    for (const [name, value] of inputs.features) {
      if (value.state === state && 'detail' in value && value.detail !== undefined)
        said.push(`${titleOf(value) ?? title}: ${labelOf(request, name)} (${value.detail}).`);
    }
  }
  said.push(...ofOtherModels(request), ...clipped(request), ...withheld(request));
  said.push(...aboutHidden(request), ...aboutLabels(request));
  said.push(...contributionRemarks(explanation, frame));
  if (request.noPictures !== undefined) said.push(`No picture of what moved the score: ${request.noPictures}`);
  return said;
}

function contributionRemarks(
  explanation: ResultRequest['explanation'],
  { contributionMethod }: ResultRequest['frame'],
): string[] {
  if ('none' in explanation) return [`No contributions of inputs: ${explanation.none}`];
  const scales = new Set(explanation.bases.map(({ scale }) => scale));
  return [
    contributionMethod,
    ...(scales.has('log-odds') ? [logOddsRemark] : []),
    ...(scales.has('margin') ? [marginRemark] : []),
  ];
}

const callersWord =
  'Made only from the resources of the call: what they do not hold was taken as not there, opt-outs too. No server was asked.';

/** States of an input that a remark explains. */
const detailed = [
  ['observed', 'Unit'],
  ['imputed', 'Imputed'],
  ['assumed-absent', 'Assumed absent'],
  ['missing', 'Missing'],
] as const;

/** Of a text that it was cut, of an image how it was chosen. */
function titleOf(value: object): string | undefined {
  if ('image' in value) return 'Image';
  return 'text' in value ? 'Cut' : undefined;
}

/** That there are inputs which nobody is shown: a reader must not take what is shown for all. */
function aboutHidden({ inputs: { hidden } }: ResultRequest): string[] {
  if (hidden === undefined || hidden.size === 0) return [];
  const [count, those] = hidden.size === 1 ? ['1 input', 'it is'] : [`${hidden.size} inputs`, 'they are'];
  return [
    `Not shown: ${count} of the model, since ${those} sensitive; the score rests on ${hidden.size === 1 ? 'it' : 'them'} too.`,
  ];
}

function aboutLabels({ inputs: { confidentiality } }: ResultRequest): string[] {
  if (confidentiality === undefined || confidentiality.unknown.length === 0) return [];
  return ['Labelled very restricted: an input has a confidentiality label that HL7 does not know.'];
}

function whatIf(request: ResultRequest): string[] {
  const names: string[] = [];
  for (const [name, { state }] of request.inputs.features) {
    if (state === 'asserted') names.push(labelOf(request, name));
  }
  const isHidden = [...(request.inputs.hidden?.values() ?? [])].some(({ state }) => state === 'asserted');
  if (isHidden) names.push('an input that is not shown');
  if (names.length === 0) return [];
  return [`What-if: asserted by the caller, not taken from the record: ${names.join(', ')}.`];
}

/** Inputs that are no measurement but what another model says, and what that model would say of them. */
function ofOtherModels(request: ResultRequest): string[] {
  return [...request.inputs.features].flatMap(([name, value]) => {
    if (value.state !== 'derived' || value.model === undefined) return [];
    return [`Output of another model: ${labelOf(request, name)} (${value.detail ?? value.model}).`];
  });
}

/** Values that the model was not given as they are. */
function clipped(request: ResultRequest): string[] {
  const { inputs, model, frame } = request;
  const said = new Set<string>();
  const bins = new Map<string, Set<number>>();
  for (const column of inputColumns(model.manifest)) {
    if (column.transform === undefined) continue;
    const input = inputs.features.get(column.feature);
    if (input === undefined || input.state === 'missing' || typeof input.value !== 'number') continue;
    if (column.at !== undefined) {
      const number = input.state === 'derived' ? input.steps?.[column.at.channel][column.at.bin] : undefined;
      if (number === undefined || clippedTo(column, number) === undefined) continue;
      bins.set(column.feature, (bins.get(column.feature) ?? new Set()).add(column.at.bin));
      continue;
    }
    const limit = clippedTo(column, input.value);
    const unit = frame.inputs.get(column.feature)?.unitText ?? '';
    if (limit !== undefined)
      said.add(`Clipped: ${labelOf(request, column.feature)}; the model was given ${`${limit} ${unit}`.trimEnd()}.`);
  }
  for (const [name, clippedBins] of bins)
    said.add(`Clipped: ${labelOf(request, name)}, in ${clippedBins.size} of its bins.`);
  return [...said];
}

function withheld({ inputs, frame }: ResultRequest): string[] {
  return frame.outcomes.flatMap(({ outcome: { id, label } }) => {
    const verdict = inputs.verdicts.get(id);
    if (verdict === undefined || verdict.state === 'score') return [];
    return [`Withheld: ${label}, ${verdict.state}: ${verdict.reasons.map(({ message }) => message).join('; ')}.`];
  });
}

function labelOf({ frame }: ResultRequest, name: string): string {
  return frame.inputs.get(name)?.labelText ?? name;
}
