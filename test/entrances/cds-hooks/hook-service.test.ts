import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { discovery, type HookService, hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { shippedModels } from '../../support/model-folder.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

let services: readonly HookService[];
beforeAll(async () => {
  const read = await Promise.all(
    ['pce-2013', 'prevent-base'].map((model) => readModelFolder(path.join(shippedModels, model, '1.0.0'))),
  );
  const versions = read.map((version) => ({ ...version, ...unloadedEngine }));
  services = hookServices(catalogOfVersions(versions), ['consent', 'group'], false);
});

const told = (of: readonly HookService[]) => discovery(of, '2.0').services as readonly Record<string, unknown>[];

describe('discovery', () => {
  test('CDS-1 where no service is offered discovery is an empty list, and no error', () => {
    expect(discovery([], '2.0')).toEqual({ services: [] });
    expect(told(services.map((service) => ({ ...service, switchedOff: true })))).toEqual([]);
  });

  test('CDS-2 each service is told by texts, its templates as texts by key, and nothing that 2.0 does not know', () => {
    expect(told(services)).toHaveLength(services.length);
    for (const { prefetch, usageRequirements = 'none', ...rest } of told(services)) {
      expect(rest).toEqual({
        hook: expect.any(String),
        title: expect.any(String),
        description: expect.any(String),
        id: expect.stringMatching(/^[a-z][a-z0-9-]{1,63}$/),
      });
      expect(usageRequirements).toEqual(expect.any(String));
      for (const template of Object.values(prefetch as object)) expect(template).toEqual(expect.any(String));
    }
  });

  test('CDS-5 nothing that discovery tells is null or empty, and what is not declared is left out', () => {
    const [service] = services;
    if (service === undefined) throw new Error('no model offers a service');
    const { usageRequirements: _left, ...declared } = service.declared;
    const [bare] = told([{ ...service, declared }]);
    expect(bare).not.toHaveProperty('usageRequirements');
    const isEmpty = (value: unknown): boolean =>
      value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
    const parts = [bare, ...told(services)].flatMap((one = {}) => [
      ...Object.values(one),
      ...Object.values(one.prefetch as object),
    ]);
    expect(parts.filter(isEmpty)).toEqual([]);
  });
});
