import type { ResultRequest } from './result-request.ts';

/** What a reader must know beside the numbers, one sentence or two each, most important first (RA-6). */
export function remarks(request: ResultRequest): string[] {
  const { frame, inputs, contributions } = request;
  const said = ['AI-generated, preliminary: not verified by a person.'];
  if (request.testData) said.push('Test data: about no real person, not for clinical use.');
  if (request.heldByCaller) said.push(callersWord);
  said.push(...whatIf(request));
  if (frame.superseded !== undefined) said.push(frame.superseded);
  for (const [state, title] of detailed) {
    for (const [name, value] of inputs.features) {
      if (value.state === state && 'detail' in value)
        said.push(`${title}: ${labelOf(request, name)} (${value.detail}).`);
    }
  }
  said.push(...withheld(request));
  said.push('none' in contributions ? `No contributions of inputs: ${contributions.none}` : frame.contributionMethod);
  return said;
}

const callersWord =
  'Made only from the resources of the call: what they do not hold was taken as not there, opt-outs too. No server was asked.';

/** States of an input that a remark explains. */
const detailed = [
  ['imputed', 'Imputed'],
  ['assumed-absent', 'Assumed absent'],
  ['missing', 'Missing'],
] as const;

function whatIf(request: ResultRequest): string[] {
  const names: string[] = [];
  for (const [name, { state }] of request.inputs.features) {
    if (state === 'asserted') names.push(labelOf(request, name));
  }
  if (names.length === 0) return [];
  return [`What-if: asserted by the caller, not taken from the record: ${names.join(', ')}.`];
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
