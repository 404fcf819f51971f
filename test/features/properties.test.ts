import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompiledFeature, compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { instantRange } from '../../src/fhir/instant-range.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { callerBase, callerReader } from '../../src/records/caller-reader.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { gatherRecord } from '../../src/records/gather-record.ts';
import * as records from '../support/arbitrary-record.ts';
import { asSent, inOtherOffsets, inOtherUnits, measures } from '../support/re-express.ts';

const { asOf } = records;

const models = ['prevent-base', 'pce-2013'].map((id) => {
  const read = (file: string) =>
    JSON.parse(readFileSync(new URL(`../../models/${id}/1.0.0/${file}`, import.meta.url), 'utf8'));
  const map: FeatureMap = read('feature-map.json');
  const manifest: Manifest = read('manifest.json');
  return { id, manifest, compiled: compileFeatureMap(map), queries: recordQueries(map, asOf, ['consent', 'group']) };
});

/** What an input says to the model and to a reader of the result. The order of its sources says nothing. */
type Input = Partial<Record<'state' | 'value' | 'because' | 'needs' | 'at', unknown>> & {
  readonly sources: readonly string[];
};
type Inputs = Readonly<Record<string, Input>>;

function inputOf({ sources, ...said }: FeatureValue): Input {
  const { state, value, because, needs, at }: Omit<Input, 'sources'> = said;
  const names = sources.map(({ reference, display }) => reference ?? display ?? '');
  return { state, value, because, needs, at, sources: [...new Set(names)].sort() };
}

/** The inputs of both models, by `model feature`, through the real gather step and the real extraction. */
async function inputsOf(resources: readonly RecordResource[], zone = 'UTC'): Promise<Inputs> {
  const inputs: Record<string, Input> = {};
  for (const { id, manifest, compiled, queries } of models) {
    const record = await gatherRecord({
      source: callerReader(resources),
      subject: { tenant: 'default', base: callerBase, id: '1' },
      queries,
      seed: resources.map((resource, index) => ({ resource, expression: `Parameters.parameter[${index}].resource` })),
      asOf,
    });
    const { features } = extractFeatures(record, compiled, manifest, new Map(), zone);
    for (const [name, value] of features) inputs[`${id} ${name}`] = inputOf(value);
  }
  return inputs;
}

/** @param alike what is compared of each input; absent: all of it */
function same(found: Inputs, wanted: Inputs, alike: (input: Input) => object = (input) => input): void {
  const compared = (inputs: Inputs) =>
    Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, alike(input)]));
  expect(compared(found)).toEqual(compared(wanted));
}

const cases = 1_000;
const holds = <Ts extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<Ts>) =>
  fc.assert(property, { seed: 20_260_301, numRuns: cases });
const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Tokyo');
const namedRecord = records.arbitraryRecord({ named: true });
const anonymousRecord = records.arbitraryRecord({ named: false });

const twoOrders = (record: fc.Arbitrary<RecordResource[]>) =>
  record.chain((resources) => {
    const { length } = resources;
    return fc.tuple(fc.constant(resources), fc.shuffledSubarray(resources, { minLength: length, maxLength: length }));
  });

describe('the order of the resources', () => {
  it('changes no input of a record whose resources have ids', async () => {
    await holds(
      fc.asyncProperty(twoOrders(namedRecord), zones, async ([record, other], zone) => {
        same(await inputsOf(other, zone), await inputsOf(record, zone));
      }),
    );
  });

  it('changes no state and no source of a record whose resources have no ids', async () => {
    await holds(
      fc.asyncProperty(twoOrders(anonymousRecord), zones, async ([record, other], zone) => {
        same(await inputsOf(other, zone), await inputsOf(record, zone), ({ state, sources }) => ({ state, sources }));
      }),
    );
  });

  it('changes no value, no reason and no time of a record whose resources have no ids', async () => {
    await holds(
      fc.asyncProperty(twoOrders(anonymousRecord), zones, async ([record, other], zone) => {
        same(await inputsOf(other, zone), await inputsOf(record, zone));
      }),
    );
  });
});

describe('a resource that says nothing new', () => {
  it('changes no input when it is given twice, with or without an id', async () => {
    const repeated = fc
      .oneof(namedRecord, anonymousRecord)
      .chain((record) => fc.tuple(fc.constant(record), fc.subarray(record, { minLength: 1 })));
    await holds(
      fc.asyncProperty(repeated, zones, async ([record, again], zone) => {
        const copies = again.map((resource) => asSent<RecordResource>(resource));
        same(await inputsOf([...record, ...copies], zone), await inputsOf(record, zone));
      }),
    );
  });

  it('changes no input when it is a mistake, not yet a result, about somebody else, or after as-of', async () => {
    const ids = fc.constantFrom('a', 'z', undefined);
    const added = fc.tuple(records.arbitraryResource, fc.nat(), ids).map(([resource, form, id]) => {
      const forms = records.formsLeftOut(resource);
      return asSent<RecordResource>({ ...resource, ...forms[form % forms.length], id });
    });
    await holds(
      fc.asyncProperty(namedRecord, added, zones, async (record, resource, zone) => {
        same(await inputsOf([...record, resource], zone), await inputsOf(record, zone));
      }),
    );
  });
});

describe('the way a value or a time is written', () => {
  const inAnyUnits = fc.tuple(namedRecord, fc.infiniteStream(fc.nat())).map(([record, drawn]) => {
    const other = inOtherUnits(record, (count) => (drawn.next().value ?? 0) % count);
    return { record, other };
  });
  /** Twelve digits or so: the bound is relative, 1e-12. */
  const sameValues = (found: Inputs, wanted: Inputs) => {
    for (const [name, { value }] of Object.entries(found)) {
      const other = wanted[name]?.value;
      if (typeof value !== 'number' || typeof other !== 'number') expect(value).toBe(other);
      else expect(Math.abs(value - other)).toBeLessThanOrEqual(1e-12 * Math.abs(other));
    }
  };

  it('changes no value, no reason and no source by another unit of the same kind, or one that the map converts', async () => {
    await holds(
      fc.asyncProperty(inAnyUnits, async ({ record, other }) => {
        const [found, wanted] = [await inputsOf(other), await inputsOf(record)];
        sameValues(found, wanted);
        same(found, wanted, ({ value: _, at: __, ...rest }) => rest);
      }),
    );
  });

  it('changes no time by another unit', async () => {
    await holds(
      fc.asyncProperty(inAnyUnits, async ({ record, other }) => {
        same(await inputsOf(other), await inputsOf(record), ({ at }) => ({ at }));
      }),
    );
  });

  it('leaves a value at the very end of the plausible range plausible in every unit', async () => {
    const found: string[] = [];
    for (const { codes, ends, units } of measures) {
      for (const [end, { code, size }] of ends.flatMap((end) => units.map((unit) => [end, unit] as const))) {
        const record = [
          { resourceType: 'Patient', id: '1' },
          {
            resourceType: 'Observation',
            id: 'o',
            status: 'final',
            code: { coding: [{ system: 'http://loinc.org', code: codes[0] }] },
            subject: { reference: 'Patient/1' },
            effectiveDateTime: '2026-02-20T08:00:00Z',
            valueQuantity: { value: end / size, system: 'http://unitsofmeasure.org', code },
          },
        ];
        const inputs = await inputsOf(asSent<RecordResource[]>(record));
        for (const [name, { because }] of Object.entries(inputs)) {
          if (because === 'implausible') found.push(`${name} ${end} as ${end / size} ${code}`);
        }
      }
    }
    expect(found).toEqual([]);
  });

  it('changes no input by another offset of the same instant', async () => {
    const offsets = fc.infiniteStream(fc.constantFrom(0, 60, -300, 345, -210, 840, -720));
    await holds(
      fc.asyncProperty(namedRecord, offsets, zones, async (record, drawn, zone) => {
        const other = inOtherOffsets(record, () => drawn.next().value ?? 0);
        same(await inputsOf(other, zone), await inputsOf(record, zone), ({ at, ...rest }) => ({
          ...rest,
          at: at === undefined ? undefined : instantRange(String(at), zone),
        }));
      }),
    );
  });

  it('changes no input by the time zone of the machine', async () => {
    const machines = fc.constantFrom('America/St_Johns', 'Pacific/Kiritimati', 'Asia/Kathmandu', 'America/Los_Angeles');
    const setZone = (zone: string | undefined) => {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
      return asOf.getTimezoneOffset();
    };
    const own = process.env.TZ;
    try {
      await holds(
        fc.asyncProperty(namedRecord, machines, zones, async (record, machine, zone) => {
          expect(setZone('UTC')).toBe(0);
          const wanted = await inputsOf(record, zone);
          // Else nothing was tested.
          expect(setZone(machine)).not.toBe(0);
          same(await inputsOf(record, zone), wanted);
        }),
      );
    } finally {
      setZone(own);
    }
  });
});

describe('the absence of one resource', () => {
  it('changes only inputs that read resources of its kind and codes, and no value that does not name it as a source', async () => {
    await holds(
      fc.asyncProperty(namedRecord, async (record) => {
        const wanted = await inputsOf(record);
        for (const removed of record.filter(({ resourceType }) => resourceType !== 'Patient')) {
          const found = await inputsOf(record.filter((resource) => resource !== removed));
          const rests = (inputs: Inputs) =>
            Object.fromEntries(Object.entries(inputs).filter(([name]) => !mayRestOn(removed, name, wanted[name])));
          same(rests(found), rests(wanted));
        }
      }),
    );
  });
});

const features = new Map(
  models.flatMap(({ id, compiled }) => compiled.order.map((each) => [`${id} ${each.name}`, each])),
);

function mayRestOn(resource: RecordResource, name: string, input: Input | undefined): boolean {
  const feature = features.get(name);
  if (feature === undefined || input === undefined) throw new Error(`${name} was not extracted`);
  if (!reads(name, feature, resource)) return false;
  // That nothing was found rests also on every Medication by which an order was understood as another drug.
  const understood = input.state === 'assumed-absent' && resource.resourceType === 'Medication';
  const named = `${resource.resourceType}/${resource.id} sent by the caller, not stored`;
  return input.state === 'missing' || understood || input.sources.includes(named);
}

/** Told from the map alone. */
function reads(name: string, { definition, reads: inputs }: CompiledFeature, resource: RecordResource): boolean {
  const { resourceType } = resource;
  if (definition.kind === 'condition') return resourceType === 'Condition' || resourceType === 'Encounter';
  if (definition.kind === 'medication') return ['MedicationRequest', 'Medication', 'Encounter'].includes(resourceType);
  if (definition.kind === 'observation' || definition.kind === 'answer') {
    const panels = definition.kind === 'observation' ? (definition.component?.panels ?? []) : [];
    const codes = [...(definition.codes ?? []), ...panels];
    if (resource.resourceType !== 'Observation') return false;
    return resource.code.coding?.some(({ system, code }) => codes.includes(`${system}|${code}`)) === true;
  }
  return inputs.some((input) => {
    const path = `${name.split(' ')[0]} ${input}`;
    const feature = features.get(path);
    return feature !== undefined && reads(path, feature, resource);
  });
}

describe('the generated records', () => {
  it('reach every state, and every reason that the two maps can give', async () => {
    const reached = new Set<unknown>();
    await holds(
      fc.asyncProperty(namedRecord, async (record) => {
        for (const { state, because } of Object.values(await inputsOf(record))) reached.add(because ?? state);
      }),
    );
    const states = [
      'observed',
      'derived',
      'assumed-absent',
      'not-found',
      'no-recent-encounter',
      'undecodable',
      'conflict',
    ];
    const units = ['unit-missing', 'unit-unknown', 'unit-contradictory', 'unconvertible', 'comparator', 'implausible'];
    const others = ['not-numeric', 'unrecognised-answer', 'not-in-vocabulary', 'time-unknown', 'input-missing'];
    expect([...reached]).toEqual(expect.arrayContaining([...states, ...units, ...others]));
  });
});
