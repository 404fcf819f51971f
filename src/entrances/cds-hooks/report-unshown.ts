import { clipped, markdownText, plainText } from '../../fhir/markdown-text.ts';
import type { StudyReports, Unshown } from '../../prediction/study-reports.ts';
import { buildCard, type Card, type CardFrame } from './card.ts';
import type { HookService } from './hook-service.ts';
import { studyText, studyTime } from './report-card.ts';
import { signature } from './signature.ts';

/**
 * What becomes of a study that has no report: `asked`: the report is being made; `resting`: the last try, a moment ago, gave
 * none; `busy`: nobody could be asked; `elsewhere`: the patient is none of the record source's; `not-allowed`: the client is not
 * configured to have reports written.
 */
export type Pending = 'asked' | 'resting' | 'busy' | 'elsewhere' | 'not-allowed';

const pendingWords: Readonly<Record<Exclude<Pending, 'asked'>, string>> = {
  resting: 'It was asked for a moment ago, and nothing came of it. It is tried again when it is asked for in a minute.',
  busy: 'It could not be asked for: too much is being computed. Ask again in a minute.',
  elsewhere:
    'It is not computed: reports are made of patients of the record source of this server alone, and the call names another server.',
  'not-allowed': 'It is not computed: nothing allows this client to have a report written (writesBack).',
};
const unshownWords: Readonly<Record<Unshown, string>> = {
  rejected: 'A person has rejected the AI result of this study. It is not shown.',
  changed: 'Somebody else has changed the report of this study after the model had made it. It is not shown.',
};

const changedWords =
  'What the model said of this study is not shown: the study, the patient or other data that it reads have changed since.';

/** What a reader who waits for a report is told, in a sentence or two. */
export function pendingText({ version }: Pick<HookService, 'version'>, pending: Pending): string {
  if (pending !== 'asked') return pendingWords[pending];
  const { cost } = version.manifest;
  const when = cost === undefined ? 'in a minute' : `in ${Math.ceil(cost.seconds / 60)} min`;
  return `It is being computed in the background. Look again ${when}.`;
}

/** What the card of such a study says of its state. */
export function unshownState(why: Pending | Unshown): 'computing' | 'not-computed' | 'withheld' {
  if (why === 'rejected' || why === 'changed') return 'withheld';
  return why === 'asked' ? 'computing' : 'not-computed';
}

/** The card of a study that is there and of which no result can be shown: it gives no number. */
export function unshownCard(
  service: HookService,
  { study, asOf, hasChanged }: Pick<StudyReports, 'study' | 'asOf' | 'hasChanged'>,
  why: Pending | Unshown,
  { frame, timeZone }: { readonly frame: CardFrame; readonly timeZone: string },
): Card {
  const title = clipped(plainText(service.version.manifest.title), 60);
  const state = unshownState(why);
  const begin = {
    computing: 'AI result is being computed',
    'not-computed': 'No AI result',
    withheld: 'No AI result is shown',
  };
  const words = why === 'rejected' || why === 'changed' ? unshownWords[why] : pendingText(service, why);
  return buildCard(service, frame, {
    summary: clipped(`${begin[state]}: study of ${studyTime(study)} (${title})`, 139),
    indicator: 'info',
    detail: [
      ...(hasChanged === true ? [changedWords] : []),
      markdownText(words),
      `Study ${studyText(study)}.`,
      signature(service, { asOf }, timeZone),
    ].join('\n\n'),
    prediction: { state, study: study.reference },
  });
}
