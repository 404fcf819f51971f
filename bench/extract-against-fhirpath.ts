/**
 * What does the extraction of features cost? The compiled feature map of prevent-base against the same features by
 * FHIRPath (`@medplum/core`), and against `JSON.parse` of the Bundle they come from.
 *
 *     node bench/extract-against-fhirpath.ts [rounds]      # 60 by default
 *
 * Records whose Bundle is about 20 KB, in one process; in each round every side has its turn, FHIRPath with a few of the
 * records. Both judge status, window, what was known at as-of, units, plausible ranges and absence; the compiled map also
 * judges conflicts, doubtful times and units, exclusions and eligibility, derives the GFR and names its sources. Both are
 * given the parsed record, and only records count for which both find the same for every feature that both have. Figures
 * are the least of all rounds, on every side: the work is the same each time, so whatever else the machine does only adds
 * to it. V8 takes some thousand records to compile what is measured; those come first.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Bundle } from '@medplum/fhirtypes';
import { compileFeatureMap } from '../src/features/compile-feature-map.ts';
import { extractFeatures } from '../src/features/extract-features.ts';
import type { FeatureMap } from '../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../src/model-catalog/manifest-schema.ts';
import { type ClinicalRecord, clinicalRecord, type RecordResource } from '../src/records/clinical-record.ts';
import { fhirPathFeatures } from './support/fhir-paths.ts';
import { median } from './support/load.ts';
import { type HeldRecord, heldRecords, model, referenceDate } from './support/records.ts';
import { atLeast, atMost, report } from './support/report.ts';

const [rounds = 60] = process.argv.slice(2).map(Number);
const wantedBytes = 20_000;
const records = 40;
const byPath = 2;
const repeats = 20;
const warmUpRounds = 60;
const warmUpByPath = 10;

const folder = path.resolve(import.meta.dirname, `../models/${model}/1.0.0`);
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
const map = read('feature-map.json') as FeatureMap;
const manifest = read('manifest.json') as Manifest;
const compiled = compileFeatureMap(map);
const paths = fhirPathFeatures(map, referenceDate);
const nothing = new Map();

interface Sample {
  readonly text: string;
  readonly bundle: Bundle;
  readonly record: ClinicalRecord;
}

function sampleOf({ patient, resources }: HeldRecord): Sample {
  const bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: resources.map((resource) => ({ resource })),
  } as Bundle;
  const entries = resources.map((resource) => ({ resource: resource as RecordResource, from: 'caller' as const }));
  const found = resources.find((resource) => resource.resourceType === 'Patient');
  if (found === undefined) throw new Error(`the record of ${patient} holds no Patient`);
  const subject = { tenant: 'bench', base: 'urn:fhirsight:caller', id: patient };
  const record = clinicalRecord({ subject, own: false, asOf: referenceDate, patient: found, entries });
  return { text: JSON.stringify(bundle), bundle, record };
}

const extract = ({ record }: Sample) => extractFeatures(record, compiled, manifest, nothing, 'UTC');
const byFhirPath = ({ bundle }: Sample) => new Map([...paths].map(([name, feature]) => [name, feature(bundle)]));

/** Whether both find the same number for every measured feature. */
function agreed(sample: Sample): boolean {
  const found = byFhirPath(sample);
  return [...extract(sample).features].every(([name, feature]) => {
    const kind = compiled.features.get(name)?.definition.kind;
    if (kind === 'derived' || kind === 'demographics') return true;
    return feature.state !== 'missing' && feature.value === found.get(name);
  });
}

/** Microseconds for each record. */
function timed(samples: readonly Sample[], times: number, work: (sample: Sample) => unknown): number {
  const startedMs = performance.now();
  for (let time = 0; time < times; time++) for (const sample of samples) work(sample);
  return ((performance.now() - startedMs) * 1_000) / (times * samples.length);
}

const samples: Sample[] = [];
for (const held of heldRecords(2_000)) {
  const sample = sampleOf(held);
  if (Math.abs(sample.text.length - wantedBytes) < wantedBytes / 4 && agreed(sample)) samples.push(sample);
  if (samples.length === records) break;
}
if (samples.length < records) throw new Error(`only ${samples.length} records are of that size`);

const taken = { extractUs: [] as number[], fhirPathUs: [] as number[], parseUs: [] as number[] };
for (let round = -warmUpRounds; round < rounds; round++) {
  const extractUs = timed(samples, repeats, extract);
  const parseUs = timed(samples, repeats, ({ text }) => JSON.parse(text));
  if (round < -warmUpByPath) continue;
  const fhirPathUs = timed(samples.slice(0, byPath), 1, byFhirPath);
  if (round < 0) continue;
  taken.extractUs.push(extractUs);
  taken.parseUs.push(parseUs);
  taken.fhirPathUs.push(fhirPathUs);
}
const [extractUs, parseUs, fhirPathUs] = [taken.extractUs, taken.parseUs, taken.fhirPathUs].map((each) =>
  Math.min(...each),
) as [number, number, number];
const bytes = Math.round(median(samples.map(({ text }) => text.length)));
report('extract-against-fhirpath', { rounds, bytes }, [
  atLeast('FHIRPath / compiled extraction, time', fhirPathUs / extractUs, 100, { fhirPathUs, extractUs }),
  atMost('compiled extraction / JSON.parse, time', extractUs / parseUs, 0.3, { extractUs, parseUs }),
]);
