import type { Finding } from '../finding.ts';
import type { Manifest } from '../manifest-schema.ts';
import { inputColumns } from '../model-tensors.ts';
import type { GraphFacts } from './graph-facts.ts';
import type { Checked } from './registration.ts';

/** Keys of metadata_props in which an author may say whose graph it is; whoever copies one into another folder is told. */
const keys = { id: 'fhirsight.id', version: 'fhirsight.version', features: 'fhirsight.features' } as const;

/** That what runs the graph knows its operators, and that what the graph says of itself does not contradict the manifest. */
export function checkGraph(facts: GraphFacts, manifest: Manifest): Checked {
  const findings: Finding[] = [];
  const find = (message: string): void => {
    findings.push({ file: 'model.onnx', path: '', message });
  };
  if (facts.unknownDomains.length > 0)
    find(
      `has operators of ${facts.unknownDomains.map((domain) => `'${domain}'`).join(', ')}, which ONNX Runtime does not have (custom operators); export it with operators of ONNX (ai.onnx, ai.onnx.ml), or let a remote engine that has them run it (ENGINES_FILE)`,
    );
  const { metadata } = facts;
  for (const part of ['id', 'version'] as const) {
    const said = metadata[keys[part]];
    if (said !== undefined && said !== manifest[part])
      find(
        `says ${keys[part]} '${said}' in its metadata, but the manifest says '${manifest[part]}'; take the graph of this version`,
      );
  }
  const features = metadata[keys.features];
  if (features !== undefined) {
    const misfit = featureMisfit(features, manifest);
    if (misfit !== undefined) find(`says ${keys.features} in its metadata, ${misfit}`);
  }
  const operators = Object.values(facts.operators).reduce((sum, count) => sum + count, 0);
  return {
    tested: 'operators, and entries of the metadata',
    count: operators + Object.keys(metadata).length,
    findings,
  };
}

/** The names of the features in the order of the columns, as a JSON list: columns that are swapped give wrong scores silently. */
function featureMisfit(text: string, manifest: Manifest): string | undefined {
  const columns = inputColumns(manifest).map(({ feature }) => feature);
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    return 'but that is no JSON list of the features of its columns; write one, or leave it out';
  }
  if (!Array.isArray(names))
    return 'but that is no JSON list of the features of its columns; write one, or leave it out';
  const wrong = columns.findIndex((feature, index) => feature !== names[index]);
  if (wrong < 0 && names.length === columns.length) return undefined;
  const at = wrong < 0 ? columns.length : wrong;
  return `where column ${at} is ${JSON.stringify(names[at] ?? null)}, but the manifest has ${columns[at] === undefined ? 'no such column' : `'${columns[at]}'`} there (graph: ${names.join(', ')}; manifest: ${columns.join(', ')}); put the columns of the manifest in the order of the training`;
}
