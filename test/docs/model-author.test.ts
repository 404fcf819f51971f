import { describe, expect, test } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { missingReasons } from '../../src/features/feature-vector.ts';
import { parseCardTemplate, placeholders } from '../../src/model-catalog/cds-cards/card-template.ts';
import { draftParser } from '../../src/model-catalog/cds-cards/parse-draft.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { checkColumns, checkManifest } from '../../src/model-catalog/check-manifest.ts';
import { type FeatureMap, featureMapSchema } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { checkGoldenCoverage, checkGoldenFile } from '../../src/model-catalog/golden-cases.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { outcomeScore } from '../../src/model-catalog/outcome-score.ts';
import {
  parseFeatureMap,
  parseGoldenFile,
  parseManifest,
  parseValueSet,
} from '../../src/model-catalog/parse-model-json.ts';
import { readGoldenImages } from '../../src/model-catalog/read-golden-images.ts';
import { type Lookups, readLookups } from '../../src/model-catalog/read-lookups.ts';
import { resolveFeatureMap } from '../../src/model-catalog/resolve-feature-map.ts';
import { readUsedModels } from '../../src/model-catalog/used-models.ts';
import { valueSetCodes } from '../../src/model-catalog/value-set-codes.ts';
import { npyBytes } from '../support/image-model.ts';
import { blocksOf, readDocument, tableRows } from '../support/markdown-blocks.ts';
import { shippedModel } from '../support/shipped-model.ts';

const document = 'docs/model-author.md';
const blocks = blocksOf(document).filter(({ language }) => language === 'json');

function examples(check: string): unknown[] {
  return blocks.filter(({ mark }) => mark?.value === check).map(({ text }) => JSON.parse(text));
}

/** Parses an example as the server would parse the file. */
function parsed<T>(
  parse: (file: string, bytes: Uint8Array, findings: Finding[]) => T | undefined,
  example: unknown,
): T {
  const findings: Finding[] = [];
  const value = parse(document, Buffer.from(JSON.stringify(example)), findings);
  expect(findings).toEqual([]);
  if (value === undefined) throw new Error('the parser gave neither a value nor a finding');
  return value;
}

function exampleManifest(): Manifest {
  return parsed(parseManifest, examples('manifest')[0]);
}

/** The value sets of the document, by the names under which its maps know them. */
function exampleValueSets(): ReadonlyMap<string, readonly string[]> {
  const findings: Finding[] = [];
  const codes = examples('value-set').flatMap((example) =>
    valueSetCodes(document, parsed(parseValueSet, example), findings),
  );
  expect(findings).toEqual([]);
  return new Map([['statins', codes.map(({ system, code }) => `${system}|${code}`)]]);
}

/** A feature map as the server would read it. */
function mapOf(example: unknown): FeatureMap {
  const { map, findings } = resolveFeatureMap(parsed(parseFeatureMap, example), exampleValueSets());
  expect(findings).toEqual([]);
  if (map === undefined) throw new Error('the map was not resolved');
  return map;
}

/** All features of the document as one map, with its population. */
function exampleMap(): FeatureMap {
  const features = Object.assign({}, ...(examples('features') as object[]));
  return mapOf({ language: 1, features, population: examples('population')[0] });
}

/** The tables that the features of the document look something up in. */
function exampleLookups(map: FeatureMap): Lookups {
  const findings: Finding[] = [];
  const table = new TextEncoder().encode(JSON.stringify(examples('table')[0]));
  const lookups = readLookups(map, new Map([['tables/example-deprivation.json', table]]), findings);
  expect(findings).toEqual([]);
  return lookups;
}

describe(document, () => {
  test('every example is checked', () => {
    const known = [
      'manifest',
      'outcomes',
      'curves',
      'tensors',
      'post-processing',
      'observed-post-processing',
      'bands',
      'cds-hooks',
      'card-draft',
      'feature-map',
      'features',
      'table',
      'population',
      'golden',
      'value-set',
    ];
    for (const { mark, line } of blocks) {
      expect(mark?.name, `${document}:${line}`).toBe('check');
      expect(known, `${document}:${line}`).toContain(mark?.value);
    }
    for (const check of known) expect(examples(check), check).not.toEqual([]);
  });

  test('the features and the population make one map that compiles', () => {
    const map = exampleMap();
    expect(checkFeatureMap(map, ['event-10y'])).toEqual([]);
    expect([...compileFeatureMap(map, exampleLookups(map)).features.keys()]).toEqual(Object.keys(map.features));
  });

  test('the outputs of other models are outcomes of shipped models, in their units', async () => {
    const { uses, findings } = await readUsedModels(exampleMap(), ({ model, version }) => shippedModel(model, version));
    expect(findings).toEqual([]);
    expect(uses.map(({ key }) => key)).toEqual(['ckd-epi-2021@1.0.0', 'lace@1.0.0']);
  });

  test('every whole feature map is one that compiles', () => {
    for (const example of examples('feature-map')) {
      const map = mapOf(example);
      expect(checkFeatureMap(map, ['event-10y'])).toEqual([]);
      compileFeatureMap(map);
    }
  });

  test('the manifest, with the bands and the services, fits the features of the document', () => {
    const manifest = exampleManifest();
    const outcomes = manifest.outcomes.map((outcome) => ({ ...outcome, bands: examples('bands')[0] }));
    for (const cdsHooks of examples('cds-hooks')) {
      const banded = parsed(parseManifest, { ...manifest, outcomes, cdsHooks });
      expect(checkManifest(banded, { id: manifest.id, version: manifest.version })).toEqual([]);
      expect(checkColumns(banded, exampleMap())).toEqual([]);
    }
  });

  test('the template and the draft of a card are read, and the table names every placeholder', () => {
    const findings: Finding[] = [];
    const template = blocksOf(document).find(({ mark }) => mark?.value === 'card-template');
    const read = parseCardTemplate(document, Buffer.from(template?.text ?? ''), 'scored', findings);
    expect([findings, read?.length]).toEqual([[], 19]);
    for (const draft of examples('card-draft'))
      expect(draftParser()(document, Buffer.from(JSON.stringify(draft)), findings)).toEqual(draft);
    expect(findings).toEqual([]);
    const known = Object.values(placeholders).flatMap(({ words, blocks: parts }) => [...words, ...parts]);
    const named = tableRows(readDocument(document)).flatMap(([name = '']) => [...name.matchAll(/`(\w+)`/g)]);
    for (const name of known) expect(named.map(([, word]) => word)).toContain(name);
  });

  test('outcomes of every kind, with every key of each, make a manifest', () => {
    const outcomes = examples('outcomes')[0] as Outcome[];
    const { cdsHooks: _, directions: _d, ...manifest } = exampleManifest();
    const tensors = { ...manifest.tensors, output: { name: 'y', type: 'float64' as const, columns: 4 } };
    const observed = parsed(parseManifest, { ...manifest, tensors, outcomes });
    expect(checkManifest(observed, { id: manifest.id, version: manifest.version })).toEqual([]);
    expect(observed.outcomes.map(({ kind }) => kind)).toEqual(['measurement', 'points', 'class', 'anomaly']);
  });

  test('a curve makes a manifest', () => {
    const { cdsHooks: _, directions: _d, ...manifest } = exampleManifest();
    const tensors = { ...manifest.tensors, output: { name: 'y', type: 'float64' as const, columns: 3 } };
    const made = parsed(parseManifest, { ...manifest, tensors, outcomes: examples('curves')[0] });
    expect(checkManifest(made, { id: manifest.id, version: manifest.version })).toEqual([]);
    expect(outcomeScore(made.outcomes[0] as Outcome, [0.9375, 0.875, 0.75])).toBe(0.25);
  });

  test('several inputs and outputs, and all post-processing, make manifests that fit the features of the document', () => {
    const { cdsHooks: _, directions: _d, ...manifest } = exampleManifest();
    const tensors = examples('tensors')[0] as Manifest['tensors'];
    const { features } = exampleMap();
    const read = new Set(inputColumns({ tensors }).map(({ feature }) => feature));
    const map: FeatureMap = {
      language: 1,
      features: Object.fromEntries(Object.entries(features).filter(([name]) => read.has(name))),
      population: { exclude: [], require: [], ranges: [] },
    };
    const explanation = { ...manifest.explanation, reference: { age: 50 } };
    const scores = ['post-processing', 'observed-post-processing'].map((mark) => {
      const outcomes = examples(mark)[0];
      const made = parsed(parseManifest, { ...manifest, tensors, explanation, outcomes });
      expect(checkManifest(made, { id: manifest.id, version: manifest.version })).toEqual([]);
      expect(checkColumns(made, map)).toEqual([]);
      return made.outcomes.map((outcome) => outcomeScore(outcome, [1, 0.25, 0.7, 0.05, 0]));
    });
    // The sigmoid of -0.2; the share of 0.25 / 1.7; halfway between 0.5 and 0.9; the second of three classes.
    const [one, two, three] = [0.25, 0.7, 0.05].map((logit) => Math.exp(logit / 1.7)) as [number, number, number];
    const expected = [1 / (1 + Math.exp(0.2)), one / (one + two + three), 0.5];
    expected.forEach((probability, index) => {
      expect(scores[0]?.[index]).toBeCloseTo(probability, 12);
    });
    expect(scores[1]).toEqual([0, 1]);
  });

  test('the golden case fits the manifest', () => {
    const manifest = exampleManifest();
    const content = parsed(parseGoldenFile, examples('golden')[0]);
    const [read] = readGoldenImages([{ file: 'golden', content }], new Map(), []);
    const cases = read?.content?.cases ?? [];
    expect(cases).not.toEqual([]);
    expect([
      ...checkGoldenFile('golden', cases, manifest, exampleMap()),
      ...checkGoldenCoverage(cases, manifest),
    ]).toEqual([]);
  });

  test('the golden case of an image reads the file that it names', () => {
    const content = parsed(parseGoldenFile, examples('golden')[1]);
    const image = new Float32Array(4);
    const files = new Map([['golden/none-enlarged.npy', npyBytes([2, 2], image)]]);
    const findings: Finding[] = [];
    const [read] = readGoldenImages([{ file: 'golden', content }], files, findings);
    expect(findings).toEqual([]);
    expect(read?.content?.cases[0]?.inputs.frontalRadiograph).toEqual({ shape: [2, 2], data: image });
  });

  test('every kind of feature, and every key of each, has an example', () => {
    const feature = Object.values(
      featureMapSchema.properties.features.patternProperties,
    )[0] as unknown as KindsOfFeature;
    const whole = examples('feature-map') as FeatureMap[];
    const shown = [exampleMap(), ...whole].flatMap(({ features }) => Object.values(features));
    expect(new Set(shown.map(({ kind }) => kind)).size).toBe(feature.oneOf.length);
    expect(shown.some((definition) => 'sensitive' in definition)).toBe(true);
    for (const { properties } of feature.oneOf) {
      const kind = properties.kind.const;
      // One example is enough of the key that is the same for all kinds.
      const keys = new Set(['sensitive', ...shown.filter((one) => one.kind === kind).flatMap(Object.keys)]);
      expect([...keys].sort(), kind).toEqual(Object.keys(properties).sort());
    }
  });

  test('every reason why an input is missing is explained', () => {
    const rows = tableRows(/### Why an input is missing\n([\s\S]*?)\n## /.exec(readDocument(document))?.[1] ?? '');
    expect(rows.map(([reason]) => reason)).toEqual(missingReasons.map((reason) => `\`${reason}\``));
  });
});

interface KindsOfFeature {
  readonly oneOf: readonly { readonly properties: { readonly kind: { readonly const: string } } }[];
}
