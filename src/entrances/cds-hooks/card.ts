import type { DiagnosticReport, Observation, RiskAssessment } from '@medplum/fhirtypes';
import { clipped, plainText } from '../../fhir/markdown-text.ts';
import { cardUrl } from '../../model-catalog/card/card-url.ts';
import type { CardShow, CdsLink, CdsSuggestions, OverrideReason } from '../../model-catalog/cds-card-schema.ts';
import type { FilledDraft } from '../../model-catalog/cds-cards/draft.ts';
import type { HookService } from './hook-service.ts';
import { usualOverrideReasons } from './override-reasons.ts';
import type { Findings } from './read-search.ts';

/** What a service answers to a hook (CDS-30): `systemActions` are left out where there are none. */
export interface HookAnswer {
  readonly cards: readonly Card[];
  readonly systemActions?: readonly SystemAction[];
}

/** A CDS Hooks card (CDS-31 to CDS-42). */
export interface Card {
  /** What feedback names it by. */
  readonly uuid: string;
  /** One sentence, at most 139 characters. */
  readonly summary: string;
  readonly indicator: Indicator;
  /** GitHub-Flavored Markdown. */
  readonly detail?: string;
  /** Its URL is that of the card of the model. */
  readonly source: { readonly label: string; readonly url: string };
  /** What the owner of the model suggests, together with whether several may be taken. */
  readonly suggestions?: readonly Suggestion[];
  readonly selectionBehavior?: CdsSuggestions['selectionBehavior'];
  readonly links: readonly CdsLink[];
  readonly overrideReasons?: readonly OverrideReason[];
  readonly extension: { readonly 'org.fhirsight.prediction': CardPrediction };
}

export interface Suggestion {
  readonly label: string;
  /** What feedback names it by. */
  readonly uuid: string;
  readonly isRecommended?: true;
  readonly actions?: readonly SuggestedAction[];
}

/** A draft for the patient of the call; a clinician takes it or leaves it. */
interface SuggestedAction {
  readonly type: 'create';
  readonly description: string;
  readonly resource: FilledDraft;
}

/** What a client does unasked: it keeps the result itself. */
export interface SystemAction {
  readonly type: 'create';
  readonly description: string;
  readonly resource: RiskAssessment | Observation | DiagnosticReport;
}

export type Indicator = Exclude<CardShow, 'none'>;

/** What a program reads of a card: the prediction as the server keeps it. */
export interface CardPrediction {
  readonly state:
    | 'scored'
    | 'not-eligible'
    | 'insufficient-data'
    | 'out-of-range'
    | 'computing'
    | 'disabled'
    /** Of a study that nobody computes a report of now. */
    | 'not-computed'
    /** Of a study whose report is there, and is shown to nobody. */
    | 'withheld';
  readonly model: string;
  readonly version: string;
  /** SHA-256 (hex) of the model version. */
  readonly digest: string;
  readonly outcome: string;
  /** Unrounded: probability 0..1, points, value in the unit or number of the class; only where the state is scored. */
  readonly score?: number;
  /** Identifier of the result, the same as from every other entrance. */
  readonly result?: string;
  readonly asOf?: string;
  /** Only where the score is that of an earlier call, or of a report: whether the inputs of now are known to be the same. */
  readonly earlier?: 'same-inputs' | 'newer-data-not-checked';
  /** `ImagingStudy/id` at the server of the call, where the model makes reports of studies. */
  readonly study?: string;
  /** `DiagnosticReport/id` in the store of this server. */
  readonly report?: string;
}

/** What is the same in every card of a call. */
export interface CardFrame {
  readonly uuid: string;
  /** URL of this server, without a trailing slash. */
  readonly serverUrl: string;
  /** Whom the call is about: logical ids at its server. */
  readonly patientId: string;
  readonly encounterId?: string | undefined;
  readonly findings: Findings;
}

/** What makes one card of a service differ from another. */
interface CardContent {
  readonly summary: string;
  readonly indicator: Indicator;
  readonly detail?: string;
  readonly suggestions?: readonly Suggestion[];
  /** Before those of the manifest. */
  readonly links?: readonly CdsLink[];
  readonly prediction: Pick<CardPrediction, 'state' | 'score' | 'result' | 'asOf' | 'earlier' | 'study' | 'report'>;
}

/** A card of a service; override reasons and the links of the model only where there is an estimate to override. */
export function buildCard(
  service: HookService,
  { uuid, serverUrl }: Pick<CardFrame, 'uuid' | 'serverUrl'>,
  content: CardContent,
): Card {
  const { declared, outcome, version } = service;
  const { id, version: number, title } = version.manifest;
  const { suggestions = [] } = content;
  const { state, ...rest } = content.prediction;
  const modelCard = cardUrl(serverUrl, version.manifest);
  const links = state === 'scored' ? (declared.links ?? []) : [];
  return {
    uuid,
    summary: content.summary,
    indicator: content.indicator,
    ...(content.detail === undefined ? {} : { detail: content.detail }),
    source: {
      label: plainText(`${title}, ${number}`),
      url: modelCard,
    },
    ...(suggestions.length === 0 || declared.suggestions === undefined
      ? {}
      : { suggestions, selectionBehavior: declared.suggestions.selectionBehavior }),
    // Where a reader's client shows the source without its address (CDS-42, DSI-40).
    links: [...(content.links ?? []), { label: 'Model card', url: modelCard, type: 'absolute' }, ...links],
    ...(state === 'scored' ? { overrideReasons: declared.overrideReasons ?? usualOverrideReasons } : {}),
    extension: {
      'org.fhirsight.prediction': {
        state,
        model: id,
        version: number,
        digest: version.digest,
        outcome: outcome.id,
        ...rest,
      },
    },
  };
}

/** The card of a score that is late: it says so, and nothing else. */
export function computingCard(service: HookService, frame: Pick<CardFrame, 'uuid' | 'serverUrl'>): Card {
  const { title } = service.version.manifest;
  return buildCard(service, frame, {
    summary: plainText(`The risk is being computed. Ask again in a moment. (${clipped(title, 70)})`),
    indicator: 'info',
    prediction: { state: 'computing' },
  });
}

/** The card of a service that is switched off, where the manifest wants one; nobody can answer to it. */
export function disabledCards(service: HookService, frame: Pick<CardFrame, 'uuid' | 'serverUrl'>): readonly Card[] {
  const { declared, version } = service;
  const { disabled = 'none' } = declared.cards;
  if (disabled === 'none') return [];
  return [
    buildCard(service, frame, {
      summary: plainText(`No risk is given: the model is switched off here. (${clipped(version.manifest.title, 70)})`),
      indicator: disabled,
      prediction: { state: 'disabled' },
    }),
  ];
}
