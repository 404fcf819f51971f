import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CodeSystem, Coding } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { shippedModels } from '../support/model-folder.ts';

test('the CodeSystem of scores holds exactly what the shipped models say in it, in the same words', () => {
  const file = path.resolve(import.meta.dirname, '../../fhir-profiles/CodeSystem-score.json');
  const system = JSON.parse(readFileSync(file, 'utf8')) as CodeSystem;
  const said = readdirSync(shippedModels).flatMap((id) =>
    readdirSync(path.join(shippedModels, id)).flatMap((version) => {
      const manifest = readFileSync(path.join(shippedModels, id, version, 'manifest.json'), 'utf8');
      const { outcomes } = JSON.parse(manifest) as { outcomes: { coding?: Coding[] }[] };
      return outcomes.flatMap(({ coding = [] }) => coding.filter((one) => one.system === system.url));
    }),
  );
  const spoken = ({ code, display }: Coding) => `${code} ${display}`;
  expect(said.map(spoken).sort()).toEqual((system.concept ?? []).map(spoken).sort());
  expect(system.count).toBe(said.length);
});
