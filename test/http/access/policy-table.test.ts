import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { policyTable } from '../../../src/http/access/policy-table.ts';

const source = path.resolve(import.meta.dirname, '../../../src');

/** Where the routes of each file are mounted. */
const mounted: Readonly<Record<string, string>> = {
  'entrances/admin/admin-routes.ts': '/admin/models',
  'entrances/admin/forget-routes.ts': '/admin/subjects',
  'entrances/audit/audit-routes.ts': '/fhir/R4',
  'entrances/cds-hooks/cds-routes.ts': '/cds-services',
  'entrances/cohort/run-routes.ts': '/runs',
  'entrances/deliveries/delivery-routes.ts': '/deliveries',
  'entrances/feedback/feedback-routes.ts': '/cds-feedback',
  'entrances/metrics/metrics-routes.ts': '/metrics',
  'entrances/models/card-routes.ts': '/models',
  'entrances/models/model-routes.ts': '/models',
  'entrances/models/schema-routes.ts': '/schemas',
};

const routes = Object.entries(mounted).flatMap(([file, base]) => {
  const text = readFileSync(path.join(source, file), 'utf8');
  return [...text.matchAll(/router\.(?:get|post|put|delete)\(\s*'([^']+)'/g)].map(
    ([, at = '']) => `${base}${at === '/' ? '' : at}`,
  );
});

it('SM-12: every route that is written out has a row of the table', () => {
  expect(routes.length).toBeGreaterThan(20);
  const paths = new Set(policyTable.map((row) => row.path));
  const covered = (route: string): boolean =>
    paths.has(route) || (route.startsWith('/fhir/R4/AuditEvent/') && paths.has('/fhir/R4/AuditEvent/*rest'));
  expect(routes.filter((route) => !covered(route))).toEqual([]);
});

it('every file of routes is looked at, or known to be mounted by a pattern', () => {
  const byPattern = [
    'entrances/fhir-operation/async-routes.ts',
    'entrances/fhir-operation/predict-routes.ts',
    'entrances/inference-protocol/protocol-routes.ts',
    'http/access/smart-configuration-routes.ts',
    'http/fhir-routes.ts',
    'http/own-keys-routes.ts',
  ];
  const found = globSync('**/*-routes.ts', { cwd: source }).filter((file) => !file.startsWith('wire'));
  expect(found.toSorted()).toEqual([...Object.keys(mounted), ...byPattern].toSorted());
});
