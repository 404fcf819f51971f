import type { Catalog } from './catalog.ts';
import type { CdsHooksService } from './cds-hooks-schema.ts';
import { serviceId } from './check-cds-hooks.ts';
import type { LoadedVersion } from './model-version.ts';

/** One CDS Hooks service: an address and a hook, and the model version that answers there. */
export interface CdsService {
  readonly id: string;
  readonly hook: string;
  readonly declared: CdsHooksService;
  readonly version: LoadedVersion;
  /** It is not discovered, and a call is answered with no card. */
  readonly switchedOff: boolean;
}

/**
 * Every service of the default versions, in the order of the catalog.
 * @param demonstrations whether those of demonstration models are offered too
 */
export function cdsServices(
  catalog: Pick<Catalog, 'list' | 'stateOf' | 'switchedOff' | 'serviceOff'>,
  demonstrations: boolean,
): CdsService[] {
  return catalog
    .list()
    .filter((version) => catalog.stateOf(version) === 'default')
    .filter(({ manifest }) => demonstrations || manifest.demonstration === undefined)
    .flatMap((version) =>
      servicesOf(version).map((service) => ({ ...service, switchedOff: isServiceOff(catalog, service) })),
    );
}

/** Whether a service is switched off, by itself or with its model or version. */
export function isServiceOff(
  catalog: Pick<Catalog, 'switchedOff' | 'serviceOff'>,
  { id, version }: Pick<CdsService, 'id' | 'version'>,
): boolean {
  return catalog.switchedOff(version) !== undefined || catalog.serviceOff(version.manifest.id, id) !== undefined;
}

/** What a version offers where it is the default. */
export function servicesOf(version: LoadedVersion): Omit<CdsService, 'switchedOff'>[] {
  const { manifest } = version;
  return (manifest.cdsHooks ?? []).map((declared) => ({
    id: serviceId(declared, manifest.id),
    hook: declared.hook,
    declared,
    version,
  }));
}

/**
 * Why a version may not be served beside others: a service of its that another model offers at the same hook already,
 * as JSON Pointer and message.
 */
export function serviceClash(
  version: LoadedVersion,
  others: readonly LoadedVersion[],
): { readonly path: string; readonly message: string } | undefined {
  const taken = others.filter(({ manifest }) => manifest.id !== version.manifest.id).flatMap(servicesOf);
  for (const [index, { id, hook }] of servicesOf(version).entries()) {
    const first = taken.find((service) => service.id === id && service.hook === hook);
    if (first === undefined) continue;
    const message = `the service ${id} at ${hook} is offered by ${first.version.key} already; give it another id`;
    return { path: `/cdsHooks/${index}/id`, message };
  }
  return undefined;
}

/** The label of a choice of a service, by its place; undefined where the very version that suggested it is not loaded. */
export function choiceLabel(
  versions: readonly LoadedVersion[],
  {
    service,
    digest,
    choice,
  }: { readonly service: string; readonly digest: string | undefined; readonly choice: number },
): string | undefined {
  const version = versions.find((loaded) => loaded.digest === digest);
  const declared = version === undefined ? [] : servicesOf(version).filter(({ id }) => id === service);
  const labels = new Set(declared.map((each) => each.declared.suggestions?.choices[choice]?.label));
  // Two hooks of one id may suggest different things: then nobody knows which was meant.
  return labels.size === 1 ? [...labels][0] : undefined;
}
