import type { Narrative } from '@medplum/fhirtypes';
import type { FeatureValue } from '../features/feature-vector.ts';
import { fhirDateTime } from './duration.ts';
import { percentagePoints } from './prediction-input.ts';
import { remarks } from './remarks.ts';
import type { ResultRequest } from './result-request.ts';
import { unitText } from './unit-text.ts';

/** One predicted outcome in words. */
export interface OutcomeSentence {
  readonly outcome: string;
  readonly label: string;
  readonly text: string;
}

/** The result as a person reads it: each outcome, each input, and all that qualifies them. */
export function resultNarrative(request: ResultRequest, sentences: readonly OutcomeSentence[]): Narrative {
  const { model, asOf, computedAt, timeZone } = request;
  const body = [
    element(
      'p',
      `${model.title} (${model.id} ${model.version}), as of ${fhirDateTime(asOf, timeZone)}, computed ${fhirDateTime(computedAt, timeZone)}`,
    ),
    `<ul>${sentences.map(({ label, text }) => element('li', `${label}: ${text}`)).join('')}</ul>`,
    `<ul>${remarks(request)
      .map((remark) => element('li', remark))
      .join('')}</ul>`,
    inputTable(request),
    contributionLists(request, sentences),
  ];
  return { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${body.join('')}</div>` };
}

function inputTable({ inputs, features }: ResultRequest): string {
  const rows = [...inputs.features].map(([name, value]) => {
    const { label = name, unit } = features[name] ?? {};
    const cells = [label, valueText(value, unit), stateText(value), 'at' in value ? (value.at ?? '') : ''];
    return `<tr>${cells.map((cell) => element('td', cell)).join('')}</tr>`;
  });
  const head = ['Input', 'Value', 'How it came about', 'Date'].map((title) => element('th', title)).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function valueText(value: FeatureValue, unit: string | undefined): string {
  if (value.state === 'missing') return '';
  if (typeof value.value === 'boolean') return value.value ? 'yes' : 'no';
  if (typeof value.value === 'string') return value.value;
  return `${Number(value.value.toPrecision(6))} ${unitText(unit ?? '1')}`.trimEnd();
}

function stateText(value: FeatureValue): string {
  if (value.state === 'missing') return `missing: ${value.because}`;
  if (value.state === 'derived') return `derived from ${value.from.join(', ')}`;
  return value.state.replace('-', ' ');
}

function contributionLists({ contributions, features }: ResultRequest, sentences: readonly OutcomeSentence[]): string {
  if ('none' in contributions) return '';
  return sentences
    .map(({ outcome, label }) => {
      const items = contributions
        .filter((contribution) => contribution.outcome === outcome)
        .sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference))
        .map(({ feature, difference }) =>
          element('li', `${features[feature]?.label ?? feature}: ${pointsText(difference)}`),
        );
      return items.length === 0 ? '' : `${element('p', `Contributions to ${label}`)}<ul>${items.join('')}</ul>`;
    })
    .join('');
}

function pointsText(difference: number): string {
  const points = percentagePoints(difference);
  if (points === 0) return 'none';
  const sign = points > 0 ? '+' : '−';
  const size = Math.abs(points);
  return `${size < 0.01 ? `${sign}less than 0.01` : `${sign}${size.toFixed(2)}`} percentage points`;
}

function element(name: string, text: string): string {
  return `<${name}>${escapeXhtml(text)}</${name}>`;
}

/** Escapes markup, and drops what XML 1.0 cannot hold at all. */
function escapeXhtml(text: string): string {
  if (!/[^ !#-%'-;=?-~]/.test(text)) return text;
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
