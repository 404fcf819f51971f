import { checkAgainstOutcome } from './check-model-output.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import type { ModelOutputDefinition } from './model-output-schema.ts';
import type { ModelVersion, UsedVersion } from './model-version.ts';

/** A feature that is the output of another model. */
interface TakenOutput {
  readonly feature: string;
  readonly definition: ModelOutputDefinition;
}

/** The features of a map that are outputs of other models, in its order. */
export function takenOutputs({ features }: Pick<FeatureMap, 'features'>): TakenOutput[] {
  return Object.entries(features).flatMap(([feature, definition]) =>
    definition.kind === 'model' ? [{ feature, definition }] : [],
  );
}

/** `id@version` of the model that a feature takes its value from. */
export function usedKey({ model, version }: Pick<ModelOutputDefinition, 'model' | 'version'>): string {
  return `${model}@${version}`;
}

/**
 * Reads the models whose outputs a map takes, each once, in the order of the map, and checks that the features say what
 * these outputs are.
 * @param read one version folder beside that of the map; undefined where there is none, an error where it is refused
 */
export async function readUsedModels(
  map: FeatureMap,
  read: (used: ModelOutputDefinition) => Promise<UsedVersion | Error | undefined>,
): Promise<{ readonly uses: readonly UsedVersion[]; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const known = new Map<string, UsedVersion | Error | undefined>();
  for (const { feature, definition } of takenOutputs(map)) {
    const key = usedKey(definition);
    if (!known.has(key)) known.set(key, await read(definition));
    const used = known.get(key);
    const path = `/features/${feature}`;
    if (used === undefined || used instanceof Error) {
      findings.push({ ...notServed(key, used), path: `${path}/model` });
      continue;
    }
    const outcome = used.manifest.outcomes.find(({ id }) => id === definition.outcome);
    const found =
      outcome === undefined
        ? [{ path: '/outcome', message: `is no outcome of ${key}; it has ${outcomesOf(used)}` }]
        : checkAgainstOutcome(definition, outcome);
    findings.push(...found.map((each) => ({ file, path: `${path}${each.path}`, message: each.message })));
  }
  const uses = [...known.values()].flatMap((used) => (used === undefined || used instanceof Error ? [] : [used]));
  return { uses, findings };
}

/** Why a feature cannot have the output of a model that is not there, or is refused. */
export function notServed(key: string, error: Error | undefined): Pick<Finding, 'file' | 'message'> {
  const folder = key.replace('@', '/');
  const reason =
    error === undefined
      ? `the models folder has no ${folder}`
      : `that is not served: ${error.message.replace(/\.$/, '')}`;
  return { file, message: `needs ${key}, but ${reason}` };
}

const file = 'feature-map.json';

function outcomesOf({ manifest }: UsedVersion): string {
  return manifest.outcomes.map(({ id }) => id).join(', ');
}

/**
 * All that is read of a record for a model: its features and those of the models that it uses, these under
 * `id@version/name`. It is for what is asked of servers, and is never compiled. The very map where no other model is used.
 */
export function gatheredMap(map: FeatureMap, uses: readonly Pick<ModelVersion, 'key' | 'gathered'>[]): FeatureMap {
  if (uses.length === 0) return map;
  const features = { ...map.features };
  for (const { key, gathered } of uses) {
    // Those of a model that is used in turn have its name already.
    for (const [name, definition] of Object.entries(gathered.features))
      features[name.includes('/') ? name : `${key}/${name}`] = definition;
  }
  return { ...map, features };
}
