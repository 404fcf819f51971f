import type { FeatureValue } from '../../src/features/feature-vector.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { createResultFrame } from '../../src/results/result-frame.ts';
import type { ReportPicture, ResultRequest } from '../../src/results/result-request.ts';
import { resultRequest } from './result-request.ts';

const own = 'https://example.org/codes';
export const coded = (code: string) => [{ system: own, code }];
export const spot: Outcome = {
  id: 'spot',
  kind: 'finding',
  label: 'Spot <drawn>',
  coding: coded('spot'),
  column: 0,
  bands: {
    citation: 'none: synthetic',
    levels: [
      { code: 'unlikely', display: 'unlikely', from: 0, below: 0.5 },
      { code: 'likely', display: 'likely', from: 0.5 },
    ],
  },
};
export const drawn: Outcome = {
  id: 'drawn',
  kind: 'class',
  label: 'What was drawn',
  coding: coded('drawn'),
  column: 1,
  classes: [
    { number: 0, code: 'nothing', display: 'nothing', coding: coded('nothing') },
    { number: 1, code: 'box', display: 'a box', coding: coded('box') },
  ],
};
export const later: Outcome = { id: 'later', kind: 'probability', label: 'Something later', column: 2, horizon: 'P1Y' };

export const image: FeatureValue = {
  state: 'observed',
  value: 1,
  at: '2026-02-27T08:15:00Z',
  sources: [{ reference: 'ImagingStudy/s1/_history/3' }],
  detail: 'the only image of the series',
};
export const picture: ReportPicture = {
  title: 'What moved "Spot" most',
  png: Uint8Array.of(137, 80, 78, 71),
  rows: 2,
  columns: 3,
};

/** A scored request for a report of one study; every part can be replaced. */
export function reportRequest(
  outcomes: readonly Outcome[] = [spot, drawn, later],
  changes: Partial<ResultRequest> = {},
): ResultRequest {
  const request = resultRequest();
  const manifest = {
    ...request.model.manifest,
    outcomes: [...outcomes],
    report: { coding: coded('phantom-report'), title: 'Phantom report' },
  };
  const features = { radiograph: { label: 'Radiograph' } };
  return {
    ...request,
    model: { ...request.model, manifest },
    features,
    frame: createResultFrame(manifest, features),
    inputs: {
      features: new Map([['radiograph', image]]),
      verdicts: new Map(outcomes.map(({ id }) => [id, { state: 'score' }])),
      basis: [...image.sources, { reference: 'Patient/17/_history/2' }],
    },
    scores: new Map([
      ['spot', 0.37],
      ['drawn', 1],
      ['later', 0.02],
    ]),
    details: new Map(),
    explanation: { none: 'tests' },
    ...changes,
  };
}
