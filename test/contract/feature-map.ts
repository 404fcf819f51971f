import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { FeatureValue, MissingReason } from '../../src/features/feature-vector.ts';
import { instantRange } from '../../src/fhir/instant-range.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { arbitraryRecords } from '../support/arbitrary-record.ts';
import { asOf } from '../support/arbitrary-terms.ts';
import { type Input, type Inputs, inputReader, same } from '../support/feature-inputs.ts';
import { formsLeftOut } from '../support/forms-left-out.ts';
import type { MapUnderTest } from '../support/map-under-test.ts';
import { jointMeasures, measuresOf } from '../support/measures-of.ts';
import { asSent, inOtherOffsets, inOtherUnits } from '../support/re-express.ts';
import { mayRestOn } from '../support/rests-on.ts';

const cases = 1_000;
const holds = <Ts extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<Ts>) =>
  fc.assert(property, { seed: 20_260_301, numRuns: cases });
const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Tokyo');

/** What records must reach, lest a property holds of nothing. */
export interface Reach {
  /** `model feature` of features that no record can give a value, and none another reason. */
  readonly unreached: readonly string[];
  /** States and reasons of inputs. */
  readonly states: readonly (FeatureValue['state'] | MissingReason)[];
}

/** The value, and of a sequence all that its bins hold. */
function numbersIn(input: Input | undefined): unknown[] {
  return [input?.value, ...Object.values(input?.steps ?? {}).flat()];
}

/** What the inputs of every feature map must not depend on, tried with records that hold what the maps read. */
export function testFeatureMaps(maps: readonly MapUnderTest[], { unreached, states }: Reach): void {
  vi.setConfig({ testTimeout: 300_000 });
  const measures = maps.flatMap(({ id, map }) =>
    Object.entries(map.features).flatMap(([name, definition]) => measuresOf(`${id} ${name}`, definition)),
  );
  const joint = jointMeasures(measures);
  const records = arbitraryRecords(maps, joint);
  const inputs = inputReader(maps);

  describe('the order of the resources', () => {
    const twoOrders = (record: fc.Arbitrary<RecordResource[]>) =>
      record.chain((resources) => {
        const { length } = resources;
        return fc.tuple(
          fc.constant(resources),
          fc.shuffledSubarray(resources, { minLength: length, maxLength: length }),
        );
      });

    it('changes no input of a record whose resources have ids', async () => {
      await holds(
        fc.asyncProperty(twoOrders(records.named), zones, async ([record, other], zone) => {
          same(await inputs(other, zone), await inputs(record, zone));
        }),
      );
    });

    it('changes no input of a record whose resources have no ids', async () => {
      await holds(
        fc.asyncProperty(twoOrders(records.anonymous), zones, async ([record, other], zone) => {
          same(await inputs(other, zone), await inputs(record, zone));
        }),
      );
    });
  });

  describe('a resource that says nothing new', () => {
    it('changes no input when it is given twice, with or without an id', async () => {
      const repeated = fc
        .oneof(records.named, records.anonymous)
        .chain((record) => fc.tuple(fc.constant(record), fc.subarray(record, { minLength: 1 })));
      await holds(
        fc.asyncProperty(repeated, zones, async ([record, again], zone) => {
          const copies = again.map((resource) => asSent<RecordResource>(resource));
          same(await inputs([...record, ...copies], zone), await inputs(record, zone));
        }),
      );
    });

    it('changes no input when it is a mistake, not yet a result, about somebody else, or after as-of', async () => {
      const ids = fc.constantFrom('a', 'z', undefined);
      const added = fc.tuple(records.resource, fc.nat(), ids).map(([resource, form, id]) => {
        const forms = formsLeftOut(resource);
        return asSent<RecordResource>({ ...resource, ...forms[form % forms.length], id });
      });
      await holds(
        fc.asyncProperty(records.named, added, zones, async (record, resource, zone) => {
          same(await inputs([...record, resource], zone), await inputs(record, zone));
        }),
      );
    });

    it('refuses the whole record when it is that of another patient', async () => {
      const other = { reference: 'Patient/2' };
      await holds(
        fc.asyncProperty(records.named, records.resource, async (record, resource) => {
          const foreign =
            resource.resourceType === 'Appointment'
              ? { ...resource, participant: [{ actor: other, status: 'accepted' }] }
              : { ...resource, ['patient' in resource ? 'patient' : 'subject']: other };
          const read = inputs([...record, asSent<RecordResource>(foreign)]);
          await expect(read).rejects.toMatchObject({ code: 'SUBJECT_FOREIGN' });
        }),
      );
    });
  });

  describe('the way a value or a time is written', () => {
    const inAnyUnits = fc.tuple(records.named, fc.infiniteStream(fc.nat())).map(([record, drawn]) => {
      const other = inOtherUnits(record, joint, (count) => (drawn.next().value ?? 0) % count);
      return { record, other };
    });
    /** Twelve digits or so: the bound is relative, 1e-12. */
    const sameValues = (found: Inputs, wanted: Inputs) => {
      const isSame = (value: unknown, other: unknown): boolean =>
        typeof value === 'number' && typeof other === 'number'
          ? Math.abs(value - other) <= 1e-12 * Math.abs(other)
          : value === other;
      for (const [name, input] of Object.entries(found)) {
        const [values, others] = [numbersIn(input), numbersIn(wanted[name])];
        if (values.length !== others.length || !values.every((value, index) => isSame(value, others[index])))
          expect({ [name]: values }).toEqual({ [name]: others });
      }
    };
    /** Whether an implausible number would be plausible in another unit is told by how it was given. */
    const apartFromUnits = ({ value: _, original: __, detail: ___, steps: ____, because, needs, ...rest }: Input) => ({
      ...rest,
      because: because === 'suspected-unit-error' ? 'implausible' : because,
      needs: JSON.stringify(needs)?.replaceAll('suspected-unit-error', 'implausible'),
    });

    it('changes no value, no reason, no source and no time by another unit that all maps read', async () => {
      let isChanged = false;
      await holds(
        fc.asyncProperty(inAnyUnits, async ({ record, other }) => {
          const [found, wanted] = [await inputs(other), await inputs(record)];
          sameValues(found, wanted);
          same(found, wanted, apartFromUnits);
          isChanged ||= JSON.stringify(other) !== JSON.stringify(record);
        }),
      );
      expect(isChanged || joint.size === 0).toBe(true);
    });

    it('leaves a value at the very end of the plausible range plausible in every unit', async () => {
      const found: string[] = [];
      for (const { name, codes, plausible, units } of measures) {
        const token = codes.find((code) => code.startsWith('http')) ?? '';
        if (token === '') continue;
        const [system, code] = token.split('|');
        for (const [end, unit] of plausible.flatMap((end) => units.map((unit) => [end, unit] as const))) {
          const value = (end - unit.offset) / unit.size;
          const record = [
            { resourceType: 'Patient', id: '1' },
            {
              resourceType: 'Observation',
              id: 'o',
              status: 'final',
              code: { coding: [{ system, code }] },
              subject: { reference: 'Patient/1' },
              effectiveDateTime: '2026-03-01T11:59:00Z',
              valueQuantity: { value, system: 'http://unitsofmeasure.org', code: unit.code },
            },
          ];
          const because = (await inputs(asSent<RecordResource[]>(record)))[name]?.because;
          const isRefused = because === 'implausible' || because === 'suspected-unit-error';
          if (isRefused) found.push(`${name} ${end} as ${value} ${unit.code}`);
        }
      }
      expect(found).toEqual([]);
    });

    it('changes no input by another offset of the same instant', async () => {
      const offsets = fc.infiniteStream(fc.constantFrom(0, 60, -300, 345, -210, 840, -720));
      await holds(
        fc.asyncProperty(records.named, offsets, zones, async (record, drawn, zone) => {
          const other = inOtherOffsets(record, () => drawn.next().value ?? 0);
          same(await inputs(other, zone), await inputs(record, zone), ({ at, ...rest }) => ({
            ...rest,
            at: at === undefined ? undefined : instantRange(String(at), zone),
          }));
        }),
      );
    });

    it('changes no input by the time zone of the machine', async () => {
      const machines = fc.constantFrom(
        'America/St_Johns',
        'Pacific/Kiritimati',
        'Asia/Kathmandu',
        'America/Los_Angeles',
      );
      const setZone = (zone: string | undefined) => {
        if (zone === undefined) delete process.env.TZ;
        else process.env.TZ = zone;
        return asOf.getTimezoneOffset();
      };
      const own = process.env.TZ;
      try {
        await holds(
          fc.asyncProperty(records.named, machines, zones, async (record, machine, zone) => {
            expect(setZone('UTC')).toBe(0);
            const wanted = await inputs(record, zone);
            // Else nothing was tested.
            expect(setZone(machine)).not.toBe(0);
            same(await inputs(record, zone), wanted);
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
        fc.asyncProperty(records.named, fc.nat(), async (record, drawn) => {
          const wanted = await inputs(record);
          // Without its encounter the call is another one.
          const removable = record.filter(({ resourceType, id }) => resourceType !== 'Patient' && id !== 'index');
          const removed = removable[drawn % removable.length];
          if (removed === undefined) throw new Error('a record holds more than a patient');
          const found = await inputs(record.filter((resource) => resource !== removed));
          const untouched = maps.flatMap((map) =>
            Object.keys(map.map.features)
              .filter((name) => !mayRestOn(removed, map, name, wanted))
              .map((name) => `${map.id} ${name}`),
          );
          const left = (all: Inputs): Inputs =>
            Object.fromEntries(untouched.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
          same(left(found), left(wanted));
        }),
      );
    });
  });

  describe('the generated records', () => {
    it('reach a value and a reason of every feature, and every state and reason that they can give', async () => {
      const reached = new Map<string, Set<unknown>>();
      const seen = new Set<unknown>();
      await holds(
        fc.asyncProperty(records.named, async (record) => {
          for (const [name, { state, value, because }] of Object.entries(await inputs(record))) {
            const found = reached.get(name) ?? new Set();
            reached.set(name, found.add(value === undefined ? because : 'value'));
            seen.add(state).add(because);
          }
        }),
      );
      expect(states.filter((state) => !seen.has(state))).toEqual([]);
      const names = maps.flatMap(({ id, map }) => Object.keys(map.features).map((name) => `${id} ${name}`));
      const withoutValue = names.filter((name) => reached.get(name)?.has('value') !== true);
      expect(withoutValue).toEqual(unreached);
      const certain = names.filter((name) => (reached.get(name)?.size ?? 0) < 2);
      expect(certain).toEqual(unreached);
    });
  });
}
