import { describe, expect, test } from 'vitest';
import { bulkExport } from '../../src/model-catalog/bulk-export.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { isSearchedByCode, optOutToken, recordQueries } from '../../src/model-catalog/record-queries.ts';
import { smartScopes } from '../../src/model-catalog/smart-scopes.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';

const prevent = await shippedModel('prevent-base');
const kidney = await shippedModel('kfre-4');
const both = ['consent', 'group'] as const;

function measured(...codes: string[]): FeatureDefinition {
  return {
    kind: 'observation',
    label: 'Measured',
    unit: '1',
    codes,
    window: 'P1Y',
    pick: 'latest',
    plausible: [0, 1],
    missing: 'abstain',
  };
}

/** The codes of one `_typeFilter`, read as a server reads a search. */
function codesOf(filter: string): string[] {
  const codes = new URL(`http://server.example/${filter}`).searchParams.get('code') ?? '';
  return codes.split(/(?<!\\),/).map((code) => code.replaceAll(/\\(.)/g, '$1'));
}

describe('_type and _typeFilter', () => {
  test('name every type that is searched or read, and every code that is searched for', () => {
    const made = bulkExport([prevent.featureMap], both);
    const queries = recordQueries(prevent.featureMap, new Date('2026-03-01'), both);
    expect(made._type.split(',')).toEqual(['Patient', ...new Set(queries.map(({ type }) => type)), 'Medication']);
    for (const query of queries) {
      const filter = made._typeFilter.find((each) => each.startsWith(`${query.type}?`));
      if (query.codes === undefined || !isSearchedByCode(query)) expect(filter, query.type).toBeUndefined();
      else expect(codesOf(filter ?? ''), query.type).toEqual(query.codes);
    }
  });

  test('of several models lose no code of any of them', () => {
    const together = bulkExport([prevent.featureMap, kidney.featureMap], []);
    for (const { featureMap } of [prevent, kidney]) {
      const alone = bulkExport([featureMap], []);
      expect(together._type.split(',')).toEqual(expect.arrayContaining(alone._type.split(',')));
      for (const filter of alone._typeFilter) {
        const wider = together._typeFilter.find((each) => each.startsWith(filter.split('?')[0] ?? ''));
        expect(codesOf(wider ?? '')).toEqual(expect.arrayContaining(codesOf(filter)));
      }
    }
  });

  test('have no date: a result without a time may be the newest, and must be seen', () => {
    expect(bulkExport([prevent.featureMap, kidney.featureMap], both).query).not.toMatch(/date|since/i);
  });

  test('a code with a comma stays one code', () => {
    const made = bulkExport([bareMap({ odd: measured('urn:site|a,b', 'urn:site|c&d') })], []);
    expect(made._typeFilter).toHaveLength(1);
    expect(codesOf(made._typeFilter[0] ?? '')).toEqual(['urn:site|a,b', 'urn:site|c&d']);
  });

  test('as a query and as Parameters say the same', () => {
    const { query, parameters, _type, _typeFilter } = bulkExport([prevent.featureMap], both);
    const read = new URLSearchParams(query);
    expect([read.get('_type'), read.getAll('_typeFilter')]).toEqual([_type, _typeFilter]);
    expect(parameters.parameter?.map(({ name, valueString }) => [name, valueString])).toEqual([
      ['_type', _type],
      ..._typeFilter.map((filter) => ['_typeFilter', filter]),
    ]);
    expect(query).toContain('_typeFilter=Observation%3Fcode%3Dhttp%3A%2F%2Floinc.org%7C');
  });

  test('ask for the groups of those who opted out only where groups are searched', () => {
    expect(bulkExport([prevent.featureMap], ['group'])._typeFilter.at(-1)).toBe(`Group?code=${optOutToken}`);
    expect(bulkExport([prevent.featureMap], [])._type).not.toMatch(/Group|Consent/);
  });
});

describe('SM-14 SMART scopes', () => {
  test('are the least that reads the record, in both versions, and write nothing', () => {
    const { v1, v2 } = smartScopes([bareMap({ measured: measured('http://loinc.org|2160-0') })], []);
    expect(v1.patient).toBe('patient/Patient.read patient/Observation.read');
    expect(v1.user).toBe('user/Patient.read user/Observation.read');
    expect(v2.system).toBe('system/Patient.r system/Observation.rs');
  });

  test('let what an order refers to be read, but not searched', () => {
    expect(smartScopes([prevent.featureMap], []).v2.system.split(' ')).toEqual(
      expect.arrayContaining(['system/MedicationRequest.rs', 'system/Medication.r']),
    );
  });

  test('cover every type of every model that is named', () => {
    const { v2 } = smartScopes([prevent.featureMap, kidney.featureMap], both);
    const types = new Set(
      [prevent, kidney].flatMap(({ featureMap }) =>
        recordQueries(featureMap, new Date(0), both).map(({ type }) => type),
      ),
    );
    for (const type of types) expect(v2.patient.split(' ')).toContain(`patient/${type}.rs`);
    expect(new Set(v2.patient.split(' ')).size).toBe(v2.patient.split(' ').length);
  });
});
