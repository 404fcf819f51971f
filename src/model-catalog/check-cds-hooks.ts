import type { CdsHooksLevel, CdsHooksService } from './cds-hooks-schema.ts';
import { hookNames, hookVersions } from './hook-library.ts';
import type { Manifest } from './manifest-schema.ts';
import type { Outcome } from './outcome-schema.ts';
import { levelsOf, scoreRange } from './outcome-score.ts';
import { repeated } from './repeated.ts';

type Find = (path: string, message: string) => void;

/** What can be judged of the section `cdsHooks` of one manifest: services told apart, outcomes known, every score shown. */
export function checkCdsHooks(manifest: Manifest, find: Find): void {
  const services = manifest.cdsHooks ?? [];
  for (const name of repeated(services.map((service) => `${serviceId(service, manifest.id)} at ${service.hook}`))) {
    find('/cdsHooks', `the service ${name} is there twice`);
  }
  services.forEach((service, index) => {
    const { outcome: id, cards } = service;
    const path = `/cdsHooks/${index}`;
    checkHook(service, (field, message) => find(`${path}/${field}`, message));
    const outcome = manifest.outcomes.find((candidate) => candidate.id === id);
    if (outcome === undefined) {
      find(`${path}/outcome`, `is ${id}; this model has ${manifest.outcomes.map((known) => known.id).join(', ')}`);
      return;
    }
    checkLevels(cards.scored, outcome, (message) => find(`${path}/cards/scored`, message));
  });
}

/** The last part of the address of a service. */
export function serviceId({ id }: CdsHooksService, modelId: string): string {
  return id ?? modelId;
}

/** A hook of the library has the context that is published, in a version that is; one of the owner's has what the manifest says. */
function checkHook({ hook, hookVersion, context }: CdsHooksService, find: Find): void {
  const isKnown = (hookNames as readonly string[]).includes(hook);
  if (isKnown && context !== undefined) find('context', `is that of the CDS Hooks library for ${hook}: leave it out`);
  if (isKnown && hookVersions({ hook, ...(hookVersion && { hookVersion }) }).length === 0) {
    const versions = hookVersions({ hook }).map(({ version }) => version);
    find('hookVersion', `is ${hookVersion}; the library has ${hook} in ${versions.join(' and ')}`);
  }
  if (isKnown) return;
  if (context === undefined) {
    find('context', `is missing: the CDS Hooks library does not know ${hook}`);
    return;
  }
  const { patientId } = context;
  if (patientId?.is !== 'id' || patientId.optional === true)
    find('context/patientId', 'must be an id that is not optional: it names the subject');
  const expected = { encounterId: 'id', userId: 'user' } as const;
  for (const [name, kind] of Object.entries(expected)) {
    const field = context[name];
    if (field !== undefined && field.is !== kind) find(`context/${name}`, `must be of the kind ${kind}, as everywhere`);
  }
  for (const [name, field] of Object.entries(context)) {
    const holds = field.is === 'resource' || field.is === 'resources' || field.is === 'bundle';
    if (!holds && (field.type !== undefined || field.proposed === true))
      find(`context/${name}`, `holds no resources (${field.is}): leave out type and proposed`);
    if (field.focus === true && !holds && field.is !== 'reference' && field.is !== 'references')
      find(`context/${name}/focus`, `${field.is} names nothing that a prediction can be about`);
    if (field.selects !== undefined && (field.is !== 'references' || context[field.selects]?.focus !== true))
      find(`context/${name}/selects`, 'must name a field with focus, and the selecting field be references');
  }
}

/** Where bands are published they decide, so that no card contradicts the band it names; classes likewise; elsewhere limits from the least score upwards. */
function checkLevels(levels: readonly CdsHooksLevel[], outcome: Outcome, find: (message: string) => void): void {
  const called = outcome.kind === 'class' ? 'classes' : 'bands';
  const bands = levelsOf(outcome).map(({ code }) => code);
  if (bands.length > 0) {
    const declared = levels.flatMap((level) => ('band' in level ? [level.band] : []));
    if (declared.length < levels.length)
      find(`has a level with from, but ${outcome.id} has ${called}: name each level by its band`);
    for (const code of repeated(declared)) find(`the band ${code} is there twice`);
    for (const code of bands.filter((band) => !declared.includes(band))) find(`does not say what ${code} shows`);
    for (const code of declared.filter((band) => !bands.includes(band)))
      find(`${code} is none of the ${called} of ${outcome.id}`);
    return;
  }
  const [least] = scoreRange(outcome) ?? [0];
  let last: number | undefined;
  for (const level of levels) {
    if ('band' in level) {
      find(`names the band ${level.band}, but ${outcome.id} has no bands`);
      continue;
    }
    const { from, because } = level;
    if (last === undefined && from !== least) find(`begins at ${from}; the first level begins at ${least}`);
    if (last !== undefined && from <= last) find(`is not ascending: ${from} follows ${last}`);
    if (from > least && because === undefined)
      find(`has a limit at ${from} without because: name where the threshold is published`);
    last = from;
  }
}
