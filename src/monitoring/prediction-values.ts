import type { Sql } from '../platform/database.ts';
import type { Sealed, ValuesCipher } from '../platform/values-cipher.ts';
import type { PredictionOutcome } from '../prediction/prediction-outcome.ts';
import type { RowFrame } from './prediction-row.ts';

type FeatureValue = PredictionOutcome['inputs']['features'] extends ReadonlyMap<string, infer Value> ? Value : never;
type ImageRead = NonNullable<Extract<FeatureValue, { state: 'observed' }>['image']>;

/** What a prediction rested on, as it was: personal data, kept only sealed. */
export interface PredictionValues {
  /** By name: state, value or reason, unit and time of every feature; of an image what was read, and never its pixels. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Of a result that was explained: by how much each feature moved each outcome. */
  readonly contributions: readonly unknown[];
}

/** A row of `prediction_values`; bytes as base64, as JSON holds them. */
export interface ValuesRow {
  readonly tenant: string;
  readonly prediction: string;
  readonly recorded: Date;
  readonly key: string;
  readonly nonce: string;
  readonly sealed: string;
}

/** The values of an outcome, sealed for its row in the prediction log. */
export function sealValues(cipher: ValuesCipher, frame: RowFrame, outcome: PredictionOutcome): ValuesRow {
  const values: PredictionValues = {
    inputs: Object.fromEntries(
      [...outcome.inputs.features].map(([name, { sources: _sources, ...feature }]) => [name, withoutPixels(feature)]),
    ),
    contributions:
      outcome.state === 'scored' && !('none' in outcome.explanation) ? outcome.explanation.contributions : [],
  };
  const { key, nonce, sealed } = cipher.seal(JSON.stringify(values), belongsTo(frame.tenant, frame.id));
  return {
    tenant: frame.tenant,
    prediction: frame.id,
    recorded: frame.recorded,
    key,
    nonce: nonce.toString('base64'),
    sealed: sealed.toString('base64'),
  };
}

/** A feature as it is kept: of an image its digest, its shape and the frames it was made of. */
function withoutPixels(feature: Omit<FeatureValue, 'sources'>): object {
  if (!('image' in feature) || feature.image === undefined) return feature;
  const { digest, shape, study, images } = feature.image as ImageRead;
  return { ...feature, image: { digest, shape, study, images } };
}

/**
 * The values of one prediction, opened; undefined where none are kept.
 * Throws CONFIG_INVALID where their key is not at hand, INTERNAL where they were changed.
 */
export async function readPredictionValues(
  sql: Sql,
  cipher: ValuesCipher,
  tenant: string,
  prediction: string,
): Promise<PredictionValues | undefined> {
  const { rows } = await sql.query<Sealed>(
    'select key, nonce, sealed from prediction_values where tenant = $1 and prediction = $2::uuid',
    [tenant, prediction],
  );
  const [row] = rows;
  return row === undefined ? undefined : JSON.parse(cipher.open(row, belongsTo(tenant, prediction)));
}

function belongsTo(tenant: string, prediction: string): string {
  return `${tenant}/${prediction}`;
}
