import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CodeSystem, Coding } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { demonstrations } from '../support/demonstrations.ts';
import { shippedModel } from '../support/shipped-model.ts';

test('the CodeSystem of demonstrations holds exactly the codes that they read and say, in the same words', async () => {
  const file = path.resolve(import.meta.dirname, '../../fhir-profiles/CodeSystem-demonstration.json');
  const system = JSON.parse(readFileSync(file, 'utf8')) as CodeSystem;
  const words = new Map(system.concept?.map(({ code, display }) => [code, display]));
  const used = new Set<string>();
  const shown = [...demonstrations, 'chest-phantom'];
  for (const { manifest, featureMap } of await Promise.all(shown.map((id) => shippedModel(id)))) {
    const said: { coding?: Coding[] }[] = [
      ...manifest.outcomes,
      ...(manifest.report === undefined ? [] : [manifest.report]),
    ];
    for (const { coding = [] } of said) {
      for (const { code = '', display } of coding.filter((one) => one.system === system.url)) {
        expect(words.get(code), `${manifest.id}: ${code}`).toBe(display);
        used.add(code);
      }
    }
    for (const definition of Object.values(featureMap.features)) {
      if (!('codes' in definition)) continue;
      for (const token of definition.codes ?? []) {
        const [of, code = ''] = token.split('|');
        if (of !== system.url) continue;
        expect(words.get(code), `${manifest.id}: ${code}`).toBe(definition.label);
        used.add(code);
      }
    }
  }
  expect([...used].sort()).toEqual([...words.keys()].sort());
  expect(system.count).toBe(words.size);
});
