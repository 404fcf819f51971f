import type { FeatureScalar, FeatureValue, ModelInputs } from '../../features/feature-vector.ts';
import type { FeatureType } from '../../model-catalog/feature-type.ts';
import type { ModelRow } from '../../model-catalog/model-row.ts';
import { inputTensors } from '../../model-catalog/model-tensors.ts';
import type { InputColumn, InputTensor } from '../../model-catalog/tensor-schema.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictableModel } from '../../prediction/prediction-parts.ts';

/** One cell; undefined where there is nothing to say. */
export type Cell = string | number | boolean | Date | undefined;

/** `free-text` is what somebody wrote in a record. */
export type ColumnType = 'text' | 'free-text' | 'number' | 'whole-number' | 'boolean' | 'instant';

/** What is known of one row: one subject at one as-of. */
export interface RowFacts {
  readonly subject: string;
  readonly asOf?: Date;
  /** Logical id of the Encounter the row is about. */
  readonly encounter?: string;
  /** Absent where the row failed. */
  readonly inputs?: ModelInputs;
  /** How many values rest on a guess, see `guessedFeatures`. */
  readonly guessed?: number;
  /** What the model would be given; absent where it may not speak. */
  readonly x?: ModelRow;
  /** Which row of the array of each image this is, see `MatrixImages`; absent where there is none. */
  readonly imageRows?: ReadonlyMap<string, number>;
  /** What happened after as-of, or why that is not known; absent where it was not asked for. */
  readonly label?: { readonly truth: 0 | 1 } | { readonly leftOut: string };
  /** Why there are no inputs. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface MatrixColumn {
  readonly name: string;
  readonly type: ColumnType;
  read(facts: RowFacts): Cell;
}

/**
 * The columns of a model's training matrix: who and when, five for each feature (six for a text), two for each outcome, one
 * for each input of the model, and, where rows are labelled, the label and why there is none. Throws PARAMETER_INVALID where a feature has the name of a column that every matrix has.
 */
export function matrixColumns(
  { manifest, digest, compiled }: Pick<PredictableModel, 'manifest' | 'digest' | 'compiled'>,
  labelled = false,
): MatrixColumn[] {
  const who: MatrixColumn[] = [
    { name: 'subject', type: 'text', read: ({ subject }) => subject },
    { name: 'as_of', type: 'instant', read: ({ asOf }) => asOf },
    { name: 'encounter', type: 'text', read: ({ encounter }) => encounter },
    { name: 'model', type: 'text', read: () => manifest.id },
    { name: 'version', type: 'text', read: () => manifest.version },
    { name: 'digest', type: 'text', read: () => digest },
  ];
  const end: MatrixColumn[] = [
    ...(labelled ? labelColumns : []),
    { name: 'guessed', type: 'whole-number', read: ({ guessed }) => guessed },
    { name: 'error', type: 'text', read: ({ error }) => error && `${error.code}: ${error.message}` },
  ];
  const taken = [...who, ...end].find(({ name }) => compiled.features.has(name));
  if (taken !== undefined) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      `The model ${manifest.id}@${manifest.version} has a feature named ${taken.name}, which is a column of every matrix. Rename the feature.`,
    );
  }
  return [
    ...who,
    ...[...compiled.features.values()].flatMap(({ name, value }) => featureColumns(name, value)),
    ...manifest.outcomes.flatMap(({ id }) => outcomeColumns(id)),
    ...inputTensors(manifest)
      .flatMap(({ type, columns, image }) => columns.map((column) => ({ type, column, isImage: image !== undefined })))
      .map((input, index) => inputColumn(input, index)),
    ...end,
  ];
}

/**
 * Of an input of strings a text is what somebody wrote; a code cannot be told from it here. The numbers of an image fill no cell
 * of a table: its cell says which row of the array they are.
 */
function inputColumn(
  {
    type,
    column: { feature, at },
    isImage,
  }: { readonly type: InputTensor['type']; readonly column: InputColumn; readonly isImage: boolean },
  index: number,
): MatrixColumn {
  if (isImage)
    return { name: `x.${index}.${feature}`, type: 'whole-number', read: ({ imageRows }) => imageRows?.get(feature) };
  return {
    name: `x.${index}.${feature}${at === undefined ? '' : `.${at.channel}.${at.bin}`}`,
    type: type === 'string' ? 'free-text' : 'number',
    read: ({ x }) => {
      const cell = x?.[index];
      return cell instanceof Float32Array ? undefined : cell;
    },
  };
}

const labelColumns: readonly MatrixColumn[] = [
  {
    name: 'label',
    type: 'whole-number',
    read: ({ label }) => (label !== undefined && 'truth' in label ? label.truth : undefined),
  },
  {
    name: 'label.reason',
    type: 'text',
    read: ({ label }) => (label !== undefined && 'leftOut' in label ? label.leftOut : undefined),
  },
];

function featureColumns(name: string, type: FeatureType): MatrixColumn[] {
  const column = (suffix: string, of: ColumnType, read: (value: FeatureValue) => Cell): MatrixColumn => ({
    name: `${name}${suffix}`,
    type: of,
    read: ({ inputs }) => {
      const value = inputs?.features.get(name);
      return value === undefined ? undefined : read(value);
    },
  });
  return [
    column('', columnType(type), cellOf(type)),
    column('.state', 'text', ({ state }) => state),
    column('.reason', 'text', (value) => ('because' in value ? value.because : undefined)),
    column('.at', 'text', (value) => ('at' in value ? value.at : undefined)),
    column('.source', 'text', ({ sources }) => sources.flatMap(({ reference }) => reference ?? []).join(' ')),
    ...(type.type === 'text' ? [column('.cut', 'boolean', isCut)] : []),
  ];
}

function cellOf({ type }: FeatureType): (value: FeatureValue) => Cell {
  // The words of a text, which elsewhere nobody is shown: the matrix is what a model is trained on.
  if (type === 'text') return (value) => (value.state === 'observed' ? value.text?.content : undefined);
  return (value): FeatureScalar | undefined => (value.state === 'missing' ? undefined : value.value);
}

/** Whether the model would be given less of a text than the record holds. */
function isCut(value: FeatureValue): Cell {
  return value.state === 'observed' ? value.text?.cutFrom !== undefined : undefined;
}

/** A kind of value that is new to the language has no column before it is decided on here. */
function columnType({ type }: FeatureType): ColumnType {
  switch (type) {
    case 'number':
      return 'number';
    // How many of its bins hold a measurement; what the model is given of each stands under x.
    case 'sequence':
      return 'whole-number';
    // How many frames were read; the tensor is a file of its own.
    case 'image':
      return 'whole-number';
    case 'boolean':
      return 'boolean';
    case 'code':
      return 'text';
    case 'text':
      return 'free-text';
  }
}

function outcomeColumns(id: string): MatrixColumn[] {
  return [
    { name: `${id}.verdict`, type: 'text', read: ({ inputs }) => inputs?.verdicts.get(id)?.state },
    {
      name: `${id}.reasons`,
      type: 'text',
      read: ({ inputs }) => {
        const verdict = inputs?.verdicts.get(id);
        if (verdict === undefined || verdict.state === 'score') return undefined;
        return [...new Set(verdict.reasons.map(({ reason }) => reason))].join(' ');
      },
    },
  ];
}
