import type { Narrative } from '@medplum/fhirtypes';
import type { FeatureValue } from '../features/feature-vector.ts';
import { element } from '../fhir/xhtml.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { baseOf, contributionText } from './contribution-amount.ts';
import { fhirDateTime } from './duration.ts';
import { imageText } from './image-text.ts';
import type { InputFrame } from './input-frame.ts';
import { partText, ranked } from './largest-contributions.ts';
import type { ResultRequest } from './result-request.ts';

/** One predicted outcome in words. */
export interface OutcomeSentence {
  readonly outcome: Outcome;
  /** The label and the score, escaped. */
  readonly xhtml: string;
}

/** What the narrative repeats of the rest of the result. */
interface Said {
  /** As-of as a FHIR dateTime. */
  readonly asOf: string;
  readonly sentences: readonly OutcomeSentence[];
  readonly remarks: readonly string[];
}

/** The result as a person reads it: each outcome, each input, and all that qualifies them. */
export function resultNarrative(request: ResultRequest, { asOf, sentences, remarks }: Said): Narrative {
  const computed = fhirDateTime(request.computedAt, request.timeZone);
  const text = [
    `<div xmlns="http://www.w3.org/1999/xhtml"><p>${request.frame.methodXhtml}, as of ${asOf}, computed ${computed}</p><ul>`,
  ];
  for (const { xhtml } of sentences) text.push('<li>', xhtml, '</li>');
  text.push('</ul><ul>');
  for (const remark of remarks) text.push(element('li', remark));
  text.push('</ul>', tableStart);
  for (const [name, value] of request.inputs.features) text.push(inputRow(request.frame.inputs.get(name), name, value));
  text.push('</tbody></table>', contributionLists(request, sentences), '</div>');
  return { status: 'generated', div: text.join('') };
}

const head = ['Input', 'Value', 'How it came about', 'Date'].map((title) => element('th', title)).join('');
const tableStart = `<table><thead><tr>${head}</tr></thead><tbody>`;

function inputRow(frame: InputFrame | undefined, name: string, value: FeatureValue): string {
  const start = frame?.rowStart ?? `<tr>${element('td', name)}`;
  const at = 'at' in value && value.at !== undefined ? element('td', value.at) : '<td></td>';
  return `${start}${valueCell(value, frame?.unitText ?? '')}${stateCell(value)}${at}</tr>`;
}

function valueCell(value: FeatureValue, unit: string): string {
  if (value.state === 'missing') return '<td></td>';
  // Who may read a result may not be who may read the note: its source says where it stands.
  if (value.state === 'observed' && value.text !== undefined) return element('td', `text of ${value.value} characters`);
  if (value.state === 'observed' && value.image !== undefined) return element('td', imageText(value));
  if (typeof value.value === 'boolean') return value.value ? '<td>yes</td>' : '<td>no</td>';
  if (typeof value.value === 'string') return element('td', value.value);
  if (value.state === 'derived' && value.steps !== undefined)
    return element('td', `${value.value} of ${value.steps.value.length} bins measured`);
  return element('td', `${Number(value.value.toPrecision(6))} ${unit}`.trimEnd());
}

function stateCell(value: FeatureValue): string {
  if (value.state === 'missing')
    return element(
      'td',
      `missing: ${value.because}${value.given === undefined ? '' : ', given to the model as missing'}`,
    );
  if (value.state === 'imputed') return element('td', `imputed: ${value.because}`);
  if (value.state === 'derived' && value.model !== undefined) return element('td', `output of ${value.model}`);
  if (value.state === 'derived')
    return element('td', value.from.length === 0 ? 'derived' : `derived from ${value.from.join(', ')}`);
  if (value.state === 'observed' && value.text?.cutFrom !== undefined)
    return element('td', `observed, cut from ${value.text.cutFrom} characters`);
  const original = value.state === 'observed' ? value.original : undefined;
  if (original?.comparator !== undefined)
    return element('td', `observed, given as ${original.comparator}${original.value} ${original.unit}`);
  return `<td>${value.state === 'assumed-absent' ? 'assumed absent' : value.state}</td>`;
}

function contributionLists({ explanation, frame }: ResultRequest, sentences: readonly OutcomeSentence[]): string {
  if ('none' in explanation) return '';
  return sentences
    .map(({ outcome }) => {
      const items = ranked(explanation.contributions, outcome.id).map(({ feature, difference, part }) => {
        const label = frame.inputs.get(feature)?.labelText ?? feature;
        const where = part === undefined ? label : `${label}, ${partText(part)}`;
        return element(
          'li',
          `${where}: ${contributionText(outcome, baseOf(explanation, outcome.id).scale, difference)}`,
        );
      });
      return items.length === 0 ? '' : `${element('p', `Contributions to ${outcome.label}`)}<ul>${items.join('')}</ul>`;
    })
    .join('');
}
