import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { operationDefinition } from '../../src/entrances/fhir-operation/operation-definition.ts';
import { readDocument, root, tableRows } from '../support/markdown-blocks.ts';

const text = readDocument('docs/integrator.md');
const profiles = path.join(root, 'fhir-profiles');

function structure(name: string): StructureDefinition {
  return JSON.parse(readFileSync(path.join(profiles, `StructureDefinition-${name}.json`), 'utf8'));
}

/** Names in the first column of the first table after `heading`. */
function firstColumn(heading: string): string[] {
  const after = text.slice(text.indexOf(heading));
  const table = after.slice(after.indexOf('\n| ')).split('\n\n')[0] ?? '';
  return tableRows(table).flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

describe('docs/integrator.md', () => {
  test('lists every parameter of $predict, with how often it may stand', () => {
    const after = text.slice(text.indexOf('## `$predict`'));
    const rows = tableRows(after.slice(after.indexOf('\n| ')).split('\n\n')[0] ?? '');
    const declared = (operationDefinition('predict').parameter ?? []).filter(({ use }) => use === 'in');
    const often = ({ min, max }: { min?: number; max?: string }) => (String(min) === max ? max : `${min}..${max}`);
    expect(rows.map(([name, times]) => [name, times]).sort()).toEqual(
      declared.map((parameter) => [`\`${parameter.name}\``, often(parameter)]).sort(),
    );
  });

  test('lists every extension of a result', () => {
    const defined = readdirSync(profiles)
      .flatMap((file) => /^StructureDefinition-(.*)\.json$/.exec(file)?.[1] ?? [])
      .filter((name) => structure(name).type === 'Extension');
    expect(firstColumn('Extensions, all below').sort()).toEqual(defined.sort());
  });

  test('lists every part of the extension prediction-input', () => {
    const parts = (structure('prediction-input').differential?.element ?? []).flatMap(({ id = '', sliceName }) =>
      /^Extension\.extension:[a-z]+$/i.test(id) && sliceName ? [sliceName] : [],
    );
    expect(firstColumn('Parts of `prediction-input`').sort()).toEqual([...new Set(parts)].sort());
  });
});
