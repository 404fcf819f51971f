import { hash } from 'node:crypto';
import type {
  FeatureImage,
  FeatureValue,
  ModelInputs,
  OriginalValue,
  SourceReference,
  Verdict,
} from '../features/feature-vector.ts';
import type { FeatureLabel, PredictedModel, ResultSubject } from './result-request.ts';
import { sourceKey } from './source-reference.ts';

/** What makes two predictions the same one. When it was computed is not part of it. */
export interface ResultIdentity {
  readonly model: Pick<PredictedModel, 'id' | 'version' | 'digest'>;
  readonly subject: Pick<ResultSubject, 'tenant' | 'base' | 'id'>;
  /** Logical id of the encounter. */
  readonly encounter?: string;
  /** The order or appointment that it is about. */
  readonly focus?: string;
  readonly asOf: Date;
  readonly inputs: Pick<ModelInputs, 'features' | 'verdicts'>;
  readonly features: Readonly<Record<string, FeatureLabel>>;
}

/**
 * SHA-256 (hex) of everything a result depends on: the same inputs, model and as-of give the same identifier, on any
 * machine and in any order of sources; any other value, source version, digest, encounter, focus, tenant or base another one.
 */
export function resultIdentifier(identity: ResultIdentity): string {
  const { model, subject, encounter, focus, asOf, inputs, features } = identity;
  const keyOf = keysMadeOnce();
  const parts = [
    'fhirsight-result-1',
    [subject.tenant, subject.base, subject.id],
    encounter ?? null,
    [model.id, model.version, model.digest],
    asOf.toISOString(),
    byName(inputs.features, (name, value) => [name, features[name]?.unit ?? null, inputParts(value, keyOf)]),
    byName(inputs.verdicts, (outcome, verdict) => [outcome, verdictParts(verdict)]),
    ...(focus === undefined ? [] : [['focus', focus]]),
  ];
  return hash('sha256', JSON.stringify(parts));
}

function byName<Value>(
  map: ReadonlyMap<string, Value>,
  partsOf: (name: string, value: Value) => unknown[],
): unknown[][] {
  const parts: unknown[][] = [];
  for (const name of [...map.keys()].sort()) {
    const value = map.get(name);
    if (value !== undefined) parts.push(partsOf(name, value));
  }
  return parts;
}

type KeyOf = (source: SourceReference) => string;

/** One source stands behind several features. */
function keysMadeOnce(): KeyOf {
  const made = new Map<SourceReference, string>();
  return (source) => {
    let key = made.get(source);
    if (key === undefined) {
      key = sourceKey(source);
      made.set(source, key);
    }
    return key;
  };
}

function inputParts(value: FeatureValue, keyOf: KeyOf): unknown[] {
  const sources = sortedKeys(value.sources, keyOf);
  switch (value.state) {
    case 'observed': {
      const { state, value: scalar, at = null, original, text, image } = value;
      const said = text === undefined ? [] : [isVersioned(value.sources) ? null : text.content, text.cutFrom ?? null];
      return [state, scalar, at, originalParts(original), sources, ...said, ...imageParts(image)];
    }
    case 'derived':
      return [
        value.state,
        value.value,
        value.at ?? null,
        [...value.from].sort(),
        sources,
        ...(value.steps === undefined ? [] : [value.steps.value, value.steps.mask, value.steps.since]),
      ];
    case 'asserted':
      return [value.state, value.value, sources];
    case 'imputed':
      return [value.state, value.value, value.because, sources];
    case 'assumed-absent':
      return [value.state, value.value, value.at ?? null, sources];
    case 'missing':
      return [value.state, value.because, value.at ?? null, sources];
  }
}

/**
 * The versions of its sources say which text it is. Whoever reads an identifier, but not the note, could else try what the
 * note may say until the identifier is the same.
 */
function isVersioned(sources: readonly SourceReference[]): boolean {
  return sources.length > 0 && sources.every(({ reference }) => reference?.includes('/_history/') === true);
}

/** Which frames, and which numbers were made of them: images are too many to be tried until an identifier is the same. */
function imageParts(image: FeatureImage | undefined): unknown[] {
  if (image === undefined) return [];
  const { digest, shape, study, images } = image;
  const frames = images.map(({ seriesInstanceUid, sopInstanceUid, frame }) => [
    seriesInstanceUid,
    sopInstanceUid,
    frame,
  ]);
  return [[digest, shape, study.studyInstanceUid, frames]];
}

function originalParts(original: OriginalValue | undefined): unknown[] | null {
  if (original === undefined) return null;
  const { value, unit, comparator } = original;
  return comparator === undefined ? [value, unit] : [value, unit, comparator];
}

function sortedKeys(sources: readonly SourceReference[], keyOf: KeyOf): string[] {
  const keys = sources.map(keyOf);
  return keys.length < 2 ? keys : [...new Set(keys)].sort();
}

function verdictParts(verdict: Verdict): unknown[] {
  if (verdict.state === 'score') return [verdict.state];
  return [verdict.state, verdict.reasons.map(({ reason, feature }) => [reason, feature ?? null])];
}
