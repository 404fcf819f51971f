import type { Catalog } from '../../model-catalog/catalog.ts';
import { servicesOf } from '../../model-catalog/cds-services.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { PredictionError } from '../../platform/errors.ts';
import { type SwitchTarget, switchWords } from './standing-of.ts';
import type { Asked, RecordedVersion, VersionRecord } from './version-record.ts';
import type { VersionStates } from './version-states.ts';

/** Every change of the life of versions: one call, one record. All throw VERSION_STATE_CONFLICT where there is nothing to change. */
export interface VersionDesk {
  /**
   * Makes a loaded version the default of its model; also one that is promoted already and was changed since.
   * Throws MODEL_UNKNOWN, MODEL_NOT_READY, MODEL_DISABLED.
   */
  promote(model: string, version: string, asked: Asked): Promise<VersionRecord>;
  /** Makes the default what was the default before. Throws as `promote` does. */
  rollBack(model: string, asked: Asked): Promise<VersionRecord>;
  /** Throws the kill switch of a model, a version or a CDS Hooks service. Throws MODEL_UNKNOWN. */
  disable(target: SwitchTarget, asked: Asked): Promise<VersionRecord>;
  enable(target: SwitchTarget, asked: Asked): Promise<VersionRecord>;
  /** Throws MODEL_UNKNOWN, MODEL_NOT_READY. */
  shadow(model: string, version: string, on: boolean, asked: Asked): Promise<VersionRecord>;
  /** Of a model, the oldest first. Throws MODEL_UNKNOWN where it was never recorded and is not loaded. */
  history(model: string): Promise<readonly VersionRecord[]>;
}

export function createVersionDesk(states: VersionStates, catalog: Pick<Catalog, 'list' | 'describe'>): VersionDesk {
  const add = async (decide: Parameters<VersionStates['add']>[0]): Promise<VersionRecord> => {
    const [added] = await states.add(decide);
    if (added === undefined) throw new PredictionError('INTERNAL', 'A record of a version was not added.');
    return added;
  };
  /** Throws MODEL_UNKNOWN for what was never there; what is recorded and no longer loaded can be switched too. */
  const checkTarget = ({ model, version, service }: SwitchTarget): void => {
    const own = catalog.list().filter(({ manifest }) => manifest.id === model);
    if (version !== undefined || own.length === 0) catalog.describe(model, version);
    if (service === undefined || own.some((each) => servicesOf(each).some(({ id }) => id === service))) return;
    const known = [...new Set(own.flatMap((each) => servicesOf(each).map(({ id }) => id)))];
    throw new PredictionError(
      'PARAMETER_INVALID',
      `${model} has no CDS Hooks service ${service}. It has: ${known.join(', ') || 'none'}.`,
    );
  };
  return {
    promote(model, version, asked) {
      const { manifest, digest } = catalog.describe(model, version);
      return add((standing) => {
        refuseOff(standing.switchedOff(model, version) ?? standing.switchedOff(model), `${model}@${version}`);
        const from = standing.defaultOf(model);
        if (from?.version === version && from.digest === digest)
          throw conflict(`${model}@${version} is the default of ${model} already.`);
        return [{ ...asked, action: 'promote', model, version: manifest.version, digest, ...(from && { from }) }];
      });
    },
    rollBack(model, asked) {
      catalog.describe(model);
      return add((standing) => {
        const from = standing.defaultOf(model);
        const to = standing.beforeDefault(model);
        if (from === undefined || to === undefined)
          throw conflict(
            `No version of ${model} was the default before ${from?.version ?? 'now'}. Promote one: fhirsight models promote ${model}@VERSION`,
          );
        refuseChanged(catalog.describe(model, to.version), to);
        refuseOff(standing.switchedOff(model, to.version), `${model}@${to.version}`);
        return [{ ...asked, action: 'roll-back', model, ...to, from }];
      });
    },
    disable(target, asked) {
      checkTarget(target);
      return add((standing) => {
        if (standing.isOff(target)) throw conflict(`${switchWords(target)} is switched off already.`);
        return [{ ...asked, action: 'disable', ...target, ...digestOf(catalog, target) }];
      });
    },
    enable(target, asked) {
      return add((standing) => {
        if (!standing.isOff(target)) throw conflict(`${switchWords(target)} is not switched off.`);
        return [{ ...asked, action: 'enable', ...target, ...digestOf(catalog, target) }];
      });
    },
    shadow(model, version, on, asked) {
      const found = catalog.describe(model, version);
      return add((standing) => {
        const from = standing.defaultOf(model);
        if (on && from?.version === version) throw conflict(`${model}@${version} is the default; it needs no shadow.`);
        if (standing.isShadow(found) === on)
          throw conflict(`${model}@${version} is ${on ? 'a shadow already' : 'no shadow'}.`);
        const action = on ? 'shadow-on' : 'shadow-off';
        return [{ ...asked, action, model, version, digest: found.digest, ...(from && { from }) }];
      });
    },
    async history(model) {
      const own = (await states.records()).filter((record) => record.model === model);
      if (own.length === 0) catalog.describe(model);
      return own;
    },
  };
}

function digestOf({ list }: Pick<Catalog, 'list'>, { model, version }: SwitchTarget): { readonly digest?: string } {
  const found = list().find(({ manifest }) => manifest.id === model && manifest.version === version);
  return found === undefined ? {} : { digest: found.digest };
}

function refuseOff(off: { readonly what: string; readonly because: string } | undefined, key: string): void {
  if (off === undefined) return;
  throw new PredictionError(
    'MODEL_DISABLED',
    `${key} cannot become the default: ${off.what} is switched off (${off.because}). Switch it on first: fhirsight models enable ${off.what}`,
  );
}

function refuseChanged({ key, digest, manifest }: LoadedVersion, to: RecordedVersion): void {
  if (digest === to.digest) return;
  throw conflict(
    `${key} was the default with digest ${to.digest}, and is now another with ${digest}. Put back what was changed, or promote it as it is: fhirsight models promote ${manifest.id}@${manifest.version}`,
  );
}

function conflict(message: string): PredictionError {
  return new PredictionError('VERSION_STATE_CONFLICT', message);
}
