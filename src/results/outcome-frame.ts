import type { CodeableConcept, Extension } from '@medplum/fhirtypes';
import { escapeXhtml } from '../fhir/xhtml.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { Band, Outcome, OutcomeClass } from '../model-catalog/outcome-schema.ts';
import { bandSource, type Level, levelsOf } from '../model-catalog/outcome-score.ts';
import { bandSystem, classSystem, extensionUrls, riskProbabilitySystem } from './canonical-urls.ts';
import { shiftDecimal } from './percent.ts';
import { unitText } from './unit-text.ts';

/** What every result of a model version says of one outcome. */
export interface OutcomeFrame {
  readonly outcome: Outcome;
  readonly id: Extension;
  readonly concept: CodeableConcept;
  readonly labelXhtml: string;
  /** Its bands or classes, by their codes. */
  readonly levels: ReadonlyMap<string, LevelFrame>;
  /** The beginning of the extension that says why there is no number. */
  readonly abstention: readonly [Extension, Extension];
}

export interface LevelFrame {
  readonly concept: CodeableConcept;
  readonly displayXhtml: string;
  /** Of a band: its name, its edges and its source. */
  readonly sentence: string;
}

type Named = Pick<Manifest, 'id' | 'version'>;

export function outcomeFrame(model: Named, outcome: Outcome): OutcomeFrame {
  const { id, label, coding } = outcome;
  return {
    outcome,
    id: { url: extensionUrls.outcomeId, valueCode: id },
    concept: { ...(coding === undefined ? {} : { coding: coding.map((one) => ({ ...one })) }), text: label },
    labelXhtml: escapeXhtml(label),
    levels: new Map(levelsOf(outcome).map((level) => [level.code, levelFrame(model, outcome, level)])),
    abstention: [
      { url: 'outcome', valueCode: id },
      { url: 'label', valueString: label },
    ],
  };
}

function levelFrame(model: Named, outcome: Outcome, level: Level): LevelFrame {
  const { code, display } = level;
  const displayXhtml = escapeXhtml(display);
  if (outcome.kind === 'class') {
    const { coding = [] } = level as OutcomeClass;
    const own = { system: classSystem(model.id, outcome.id), version: model.version, code, display };
    return {
      concept: { coding: [own, ...coding.map((one) => ({ ...one }))], text: display },
      displayXhtml,
      sentence: display,
    };
  }
  const band = level as Band;
  const own = { system: bandSystem(model.id, outcome.id), version: model.version, code, display };
  const published = { system: riskProbabilitySystem, code: band.riskProbability };
  return {
    concept: { coding: band.riskProbability === undefined ? [own] : [own, published], text: display },
    displayXhtml,
    sentence: `${bandText(outcome, band)} (${bandSource(outcome)})`,
  };
}

function bandText(outcome: Outcome, { display, from, below }: Band): string {
  const lower = edgeText(outcome, from);
  if (below === undefined) return `Band: ${display}, ${lower} and above`;
  return `Band: ${display}, ${lower} to below ${edgeText(outcome, below)}`;
}

function edgeText(outcome: Outcome, edge: number): string {
  switch (outcome.kind) {
    case 'probability':
    case 'survival':
    case 'finding':
      return `${shiftDecimal(String(edge), 2)} %`;
    case 'measurement':
      return `${edge} ${unitText(outcome.unit)}`.trimEnd();
    case 'points':
    case 'class':
    case 'anomaly':
      return String(edge);
  }
}
