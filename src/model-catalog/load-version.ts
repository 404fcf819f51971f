import { modelInvalid } from './finding.ts';
import { goldenRow, runGoldenCases } from './golden-cases.ts';
import type { ReadUses } from './inspect-model-folder.ts';
import type { ModelRow } from './model-row.ts';
import { engineForms, type InputForm, type OutputForm } from './model-tensors.ts';
import type { LoadedVersion, ModelVersion } from './model-version.ts';
import { probeNaN } from './probe-nan.ts';
import { readModelFolder } from './read-models.ts';
import type { SiteFile } from './read-site-file.ts';

/** Whatever can load an artefact; the inference engine does. */
export interface ModelLoader {
  load(model: {
    readonly key: string;
    readonly artefact: Uint8Array;
    readonly inputs: readonly InputForm[];
    readonly outputs: readonly OutputForm[];
    readonly samples: readonly ModelRow[];
  }): Promise<
    Pick<LoadedVersion, 'run' | 'infer' | 'inputs' | 'outputs' | 'release'> & {
      readonly report: LoadedVersion['engine'];
    }
  >;
}

/** What a version is loaded with. */
export interface LoadOptions {
  readonly engine: ModelLoader;
  /** A last word of the caller on a folder that was read: throws where the later stages cannot use it. */
  readonly accept?: (version: ModelVersion) => void;
  /** Local codes and units, read into every map. */
  readonly site?: SiteFile;
}

/**
 * Reads one version folder, loads its artefact and tests it, at start and at every reload: nothing is served that did not
 * pass through here. @param read see `inspectModelFolder`
 * Throws MODEL_INVALID and what the engine throws; nothing stays open then.
 */
export async function loadVersion(
  dir: string,
  { engine, accept, site }: LoadOptions,
  read: ReadUses,
): Promise<LoadedVersion> {
  const started = performance.now();
  const version = await readModelFolder(dir, site, read);
  accept?.(version);
  const model = await engine.load({
    key: version.key,
    artefact: version.artefact,
    ...engineForms(version.manifest),
    samples: version.goldenCases.map((golden) => goldenRow(golden, version.manifest, version.featureMap)),
  });
  try {
    const findings = await runGoldenCases(version, (rows) => model.run(rows));
    if (findings.length === 0) findings.push(...(await probeNaN(version, (rows) => model.run(rows))));
    if (findings.length > 0) throw modelInvalid(`${version.manifest.id}/${version.manifest.version}`, findings);
  } catch (error) {
    await model.release();
    throw error;
  }
  return {
    ...version,
    loadMs: performance.now() - started,
    engine: model.report,
    inputs: model.inputs,
    outputs: model.outputs,
    run: (rows, options) => model.run(rows, options),
    infer: (feeds, wanted, options) => model.infer(feeds, wanted, options),
    release: () => model.release(),
  };
}
