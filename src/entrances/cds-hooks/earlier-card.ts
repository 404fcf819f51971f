import { clipped, listed, markdownText } from '../../fhir/markdown-text.ts';
import type { EarlierResult } from '../../monitoring/earlier-result.ts';
import { fhirDateTime, preliminary, scoreLevel, versionRemarks } from '../../prediction/prediction-words.ts';
import { buildCard, type Card, type CardFrame } from './card.ts';
import type { HookService } from './hook-service.ts';
import { levelOf, scoreSummary, summaryLength } from './outcome-cards.ts';

export interface EarlierFrame {
  readonly frame: Pick<CardFrame, 'serverUrl'>;
  /** IANA zone of the site. */
  readonly timeZone: string;
  /** True where the inputs of now are read, and are those of then. */
  readonly sameInputs: boolean;
}

/**
 * The cards of an earlier result in the place of a late one: with its time in the summary, and with the warning that newer
 * data were not looked at unless the inputs are the same, and with all that the log says of what the number rests on. No suggestion rests on it. A card has the UUID of the one that
 * showed the result first, so that feedback is joined to that prediction. None where the manifest shows no such score, or
 * undefined where the result has no score of this service's outcome.
 */
export function earlierCards(
  service: HookService,
  earlier: EarlierResult,
  { frame, timeZone, sameInputs }: EarlierFrame,
): readonly Card[] | undefined {
  const { outcome, version, cautions } = service;
  const score = earlier.scores[outcome.id];
  if (score === undefined) return undefined;
  const band = scoreLevel(outcome, score);
  const { show } = levelOf(service, band?.code, score);
  if (show === 'none') return [];
  const asOf = fhirDateTime(earlier.asOf, timeZone);
  const time = `As of ${asOf.slice(0, 16).replace('T', ' ')}: `;
  const { id, version: number, title } = version.manifest;
  const detail = [
    sameInputs
      ? 'An earlier result: the inputs are the same as then, and the model has not answered again yet.'
      : '**Newer data not checked.** An earlier result: what has been recorded since is not in it. It is being computed anew; ask again in a moment.',
    `**What this rests on**\n\n${[listed(restsOn(service, earlier).map(markdownText)), cautions].filter((part) => part !== '').join('\n')}`,
    `${markdownText(title)} (${id} ${number}), as of ${asOf}.`,
  ].join('\n\n');
  return [
    buildCard(
      service,
      { uuid: earlier.card, serverUrl: frame.serverUrl },
      {
        summary: clipped(`${time}${scoreSummary(service, band, score, summaryLength - time.length)}`, summaryLength),
        indicator: show,
        detail,
        prediction: {
          state: 'scored',
          score,
          result: earlier.result,
          asOf,
          earlier: sameInputs ? 'same-inputs' : 'newer-data-not-checked',
        },
      },
    ),
  ];
}

/** What a reader must know beside the number, of the version and of each input that was not there. */
function restsOn({ version }: HookService, { missing, assumed }: EarlierResult): string[] {
  const labelOf = (name: string): string => version.featureMap.features[name]?.label ?? name;
  const { demonstration, superseded, site } = versionRemarks(version.manifest, version.site);
  const of = (kind: string): string[] =>
    Object.entries(missing).flatMap(([name, why]) =>
      why.startsWith(kind) ? [`${labelOf(name)} (${why.slice(kind.length)})`] : [],
    );
  const absent = Object.entries(missing).flatMap(([name, why]) =>
    why.includes(':') ? [] : [`${labelOf(name)} (${why})`],
  );
  return [
    preliminary,
    ...[demonstration, superseded, site].filter((said) => said !== undefined),
    ...of('imputed:').map((what) => `Imputed: ${what}.`),
    ...assumed.map((name) => `Assumed absent: ${labelOf(name)}.`),
    ...[...absent, ...of('as-missing:')].map((what) => `Missing: ${what}.`),
    'What else it said then, such as contributions, limits and cut inputs, and inputs that are not shown, is not repeated here.',
  ];
}
