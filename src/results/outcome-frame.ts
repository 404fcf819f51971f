import type { CodeableConcept, Extension } from '@medplum/fhirtypes';
import type { Band, Manifest, Outcome } from '../model-catalog/manifest-schema.ts';
import { bandSystem, extensionUrls, riskProbabilitySystem } from './canonical-urls.ts';
import { durationText } from './duration.ts';
import { shiftDecimal } from './percent.ts';
import { escapeXhtml } from './xhtml.ts';

/** What every result of a model version says of one outcome. */
export interface OutcomeFrame {
  readonly outcome: Outcome;
  readonly id: Extension;
  readonly concept: CodeableConcept;
  readonly labelXhtml: string;
  /** `10 years` */
  readonly horizon: string;
  readonly bands: ReadonlyMap<Band, BandFrame>;
  /** The beginning of the extension that says why there is no number. */
  readonly abstention: readonly [Extension, Extension];
}

export interface BandFrame {
  readonly qualitativeRisk: CodeableConcept;
  readonly displayXhtml: string;
  /** Its name, its edges and its source. */
  readonly sentence: string;
}

export function outcomeFrame(model: Pick<Manifest, 'id' | 'version'>, outcome: Outcome): OutcomeFrame {
  const { id, label, coding, horizon, bands } = outcome;
  const levels = bands?.levels ?? [];
  return {
    outcome,
    id: { url: extensionUrls.outcomeId, valueCode: id },
    concept: { ...(coding === undefined ? {} : { coding: coding.map((one) => ({ ...one })) }), text: label },
    labelXhtml: escapeXhtml(label),
    horizon: durationText(horizon),
    bands: new Map(levels.map((band) => [band, bandFrame(model, outcome, band)])),
    abstention: [
      { url: 'outcome', valueCode: id },
      { url: 'label', valueString: label },
    ],
  };
}

function bandFrame(model: Pick<Manifest, 'id' | 'version'>, { id, bands }: Outcome, band: Band): BandFrame {
  const { code, display, riskProbability } = band;
  const own = { system: bandSystem(model.id, id), version: model.version, code, display };
  const published = { system: riskProbabilitySystem, code: riskProbability };
  return {
    qualitativeRisk: { coding: riskProbability === undefined ? [own] : [own, published], text: display },
    displayXhtml: escapeXhtml(display),
    sentence: `${bandText(band)} (${bands?.citation})`,
  };
}

function bandText({ display, from, below }: Band): string {
  const lower = shiftDecimal(String(from), 2);
  if (below === undefined) return `Band: ${display}, ${lower} % and above`;
  return `Band: ${display}, ${lower} % to below ${shiftDecimal(String(below), 2)} %`;
}
