import { clipped, plainText } from '../../fhir/markdown-text.ts';
import { cardUrl } from '../../model-catalog/card/card-url.ts';
import type { CardShow } from '../../model-catalog/cds-hooks-schema.ts';
import type { HookService } from './hook-service.ts';
import { overrideReasons } from './override-reasons.ts';

/** A CDS Hooks card without suggestions or actions (CDS-31 to CDS-36, CDS-41, CDS-42). */
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
  readonly links: readonly { readonly label: string; readonly url: string; readonly type: 'absolute' }[];
  readonly overrideReasons?: typeof overrideReasons;
  readonly extension: { readonly 'org.fhirsight.prediction': CardPrediction };
}

export type Indicator = Exclude<CardShow, 'none'>;

/** What a program reads of a card: the prediction as the server keeps it. */
export interface CardPrediction {
  readonly state: 'scored' | 'not-eligible' | 'insufficient-data' | 'out-of-range' | 'computing';
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
}

/** What is the same in every card of a service. */
export interface CardFrame {
  readonly uuid: string;
  /** URL of this server, without a trailing slash. */
  readonly serverUrl: string;
}

/** What makes one card of a service differ from another. */
interface CardContent {
  readonly summary: string;
  readonly indicator: Indicator;
  readonly detail?: string;
  readonly prediction: Pick<CardPrediction, 'state' | 'score' | 'result' | 'asOf'>;
}

/** A card of a service; override reasons only where there is an estimate to override. */
export function buildCard(service: HookService, { uuid, serverUrl }: CardFrame, content: CardContent): Card {
  const { outcome, version } = service;
  const { id, version: number, title } = version.manifest;
  const { state, ...rest } = content.prediction;
  const modelCard = cardUrl(serverUrl, version.manifest);
  return {
    uuid,
    summary: content.summary,
    indicator: content.indicator,
    ...(content.detail === undefined ? {} : { detail: content.detail }),
    source: {
      label: plainText(`${title}, ${number}`),
      url: modelCard,
    },
    // Where a reader's client shows the source without its address (CDS-42, DSI-40).
    links: [{ label: 'Model card', url: modelCard, type: 'absolute' }],
    ...(state === 'scored' ? { overrideReasons } : {}),
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
export function computingCard(service: HookService, frame: CardFrame): Card {
  const { title } = service.version.manifest;
  return buildCard(service, frame, {
    summary: plainText(`The risk is being computed. Ask again in a moment. (${clipped(title, 70)})`),
    indicator: 'info',
    prediction: { state: 'computing' },
  });
}
