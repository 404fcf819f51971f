import path from 'node:path';
import { checkFeatureMap } from './check-feature-map.ts';
import { checkColumns, checkManifest } from './check-manifest.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import { type Finding, modelInvalid } from './finding.ts';
import { checkGoldenCoverage, checkGoldenFile } from './golden-cases.ts';
import type { Manifest } from './manifest-schema.ts';
import type { ModelCard } from './model-card-schema.ts';
import type { ModelVersion } from './model-version.ts';
import { parseFeatureMap, parseGoldenFile, parseManifest, parseModelCard } from './parse-model-json.ts';
import { checkFiles, digestOf, readModelFiles } from './read-model-files.ts';

/**
 * Reads one version folder (`<models>/<id>/<version>`) and checks that everything in it is whole and fits together.
 * Nothing is run. Throws MODEL_INVALID with every finding: file, JSON path, reason.
 */
export async function readModelFolder(dir: string): Promise<ModelVersion> {
  const folder = { id: path.basename(path.dirname(path.resolve(dir))), version: path.basename(path.resolve(dir)) };
  const name = `${folder.id}/${folder.version}`;
  const findings: Finding[] = [];
  const stopOnFindings = (): void => {
    if (findings.length > 0) throw modelInvalid(name, findings);
  };

  const files = await readModelFiles(dir, findings);
  const manifestBytes = files.get('manifest.json');
  if (manifestBytes === undefined) {
    findings.push({ file: 'manifest.json', path: '', message: 'is missing; it says what the folder holds' });
  }
  stopOnFindings();
  const manifest = parseManifest('manifest.json', bytesOf(files, 'manifest.json'), findings);
  if (manifest === undefined) throw modelInvalid(name, findings);
  checkFiles(files, manifest.checksums, findings);
  findings.push(...checkManifest(manifest, folder));
  stopOnFindings();

  const featureMap = parseFeatureMap('feature-map.json', bytesOf(files, 'feature-map.json'), findings);
  const card = parseModelCard('model-card.json', bytesOf(files, 'model-card.json'), findings);
  const golden = [...files.keys()]
    .filter((file) => file.startsWith('golden/'))
    .map((file) => ({ file, content: parseGoldenFile(file, bytesOf(files, file), findings) }));
  if (featureMap === undefined || card === undefined || findings.length > 0) throw modelInvalid(name, findings);

  const goldenCases = golden.flatMap(({ content }) => content?.cases ?? []);
  findings.push(
    ...checkFeatureMap(
      featureMap,
      manifest.outcomes.map(({ id }) => id),
    ),
    ...checkColumns(manifest, featureMap),
    ...checkCard(card, manifest, featureMap),
    ...golden.flatMap(({ file, content }) => checkGoldenFile(file, content?.cases ?? [], manifest, featureMap)),
    ...checkGoldenCoverage(goldenCases, manifest),
  );
  stopOnFindings();
  return {
    key: `${manifest.id}@${manifest.version}`,
    manifest,
    featureMap,
    card,
    goldenCases,
    artefact: bytesOf(files, 'model.onnx'),
    digest: digestOf(files),
  };
}

/** A card that speaks of another model, or forgets an input or an outcome, misleads its reader. */
function checkCard(card: ModelCard, manifest: Manifest, map: FeatureMap): Finding[] {
  const findings: Finding[] = [];
  const find = (path: string, message: string): void => {
    findings.push({ file: 'model-card.json', path, message });
  };
  if (card.model !== manifest.id) find('/model', `is ${card.model}, the manifest says ${manifest.id}`);
  if (card.version !== manifest.version) find('/version', `is ${card.version}, the manifest says ${manifest.version}`);
  const described = card.inputs.map(({ feature }) => feature);
  const columns = manifest.tensors.input.columns.map(({ feature }) => feature);
  for (const feature of columns.filter((name) => !described.includes(name)))
    find('/inputs', `does not describe ${feature}`);
  for (const feature of described.filter((name) => !columns.includes(name)))
    find('/inputs', `${feature} is no input column`);
  const outputs = card.outputs.map(({ outcome }) => outcome);
  const outcomes = manifest.outcomes.map(({ id }) => id);
  for (const id of outcomes.filter((outcome) => !outputs.includes(outcome)))
    find('/outputs', `does not describe ${id}`);
  for (const id of outputs.filter((outcome) => !outcomes.includes(outcome)))
    find('/outputs', `${id} is no outcome of the manifest`);
  for (const { feature } of card.codeLists) {
    if (!Object.hasOwn(map.features, feature)) find('/codeLists', `${feature} is no feature of the map`);
  }
  return findings;
}

function bytesOf(files: ReadonlyMap<string, Uint8Array>, file: string): Uint8Array {
  const bytes = files.get(file);
  if (bytes === undefined) throw new RangeError(`${file} was not read`);
  return bytes;
}
