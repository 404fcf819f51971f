import { isUcumUnit } from '../fhir/ucum.ts';
import { checkCdsHooks } from './check-cds-hooks.ts';
import { checkExplanation } from './check-explanation.ts';
import { shapeOfImage } from './check-image.ts';
import { checkMissingColumns } from './check-missing-columns.ts';
import { codesInPopulation } from './check-population.ts';
import { checkPostProcessing, checkReadColumns } from './check-post-processing.ts';
import { checkAt } from './check-sequence.ts';
import { checkTensors } from './check-tensors.ts';
import { checkTransform } from './check-transform.ts';
import type { FeatureDefinition, FeatureMap } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import type { Manifest } from './manifest-schema.ts';
import { inputPath, inputTensors } from './model-tensors.ts';
import type { Band, Outcome } from './outcome-schema.ts';
import { bandsOf, isRisk, ownColumns, scoreRange } from './outcome-score.ts';
import { repeated } from './repeated.ts';
import { pointId } from './survival-curve.ts';
import type { InputColumn, InputTensor } from './tensor-schema.ts';
import { valueKind, vocabularyOf } from './value-kind.ts';

const file = 'manifest.json';
const requiredFiles = ['feature-map.json', 'model-card.json', 'model.onnx'];
const furtherFiles =
  /^(?:golden\/[A-Za-z0-9][A-Za-z0-9._-]*\.(?:json|npy)|valueSets\/[A-Za-z0-9][A-Za-z0-9._-]*\.json|tables\/[A-Za-z0-9][A-Za-z0-9._-]*\.(?:csv|json)|cards\/[A-Za-z0-9][A-Za-z0-9._-]*\.(?:md|json)|explanation\/background\.csv)$/;

type Find = (path: string, message: string) => void;

/** What can be judged of a manifest alone: identity, outcomes, bands, the list of files. */
export function checkManifest(
  manifest: Manifest,
  folder: { readonly id: string; readonly version: string },
): Finding[] {
  return collect((find) => {
    if (manifest.id !== folder.id) find('/id', `is ${manifest.id}, but the folder is named ${folder.id}`);
    if (manifest.version !== folder.version) {
      find('/version', `is ${manifest.version}, but the folder is named ${folder.version}`);
    }
    if (manifest.supersededBy?.model === manifest.id) find('/supersededBy/model', 'names this model itself');
    checkChecksumNames(manifest, find);
    checkTensors(manifest, find);
    checkOutcomes(manifest, find);
    checkCdsHooks(manifest, find);
  });
}

/** That every input column and the reference person fit the features of the map. */
export function checkColumns(manifest: Manifest, map: FeatureMap): Finding[] {
  return collect((find) => {
    inputTensors(manifest).forEach(({ type, columns, image, shape }, at) => {
      if (image !== undefined) {
        checkImageInput(image, shape, map, (path, message) => find(`${inputPath(manifest, at)}${path}`, message));
        return;
      }
      const columnsPath = `${inputPath(manifest, at)}/columns`;
      for (const feature of filledAlike(columns)) find(columnsPath, `${feature} fills two columns in the same way`);
      columns.forEach((column, index) => {
        checkColumn(column, type, map, (path, message) => find(`${columnsPath}/${index}${path}`, message));
      });
    });
    checkMissingColumns(manifest, map, find);
    checkExplanation(manifest, map, find);
    if (manifest.report !== undefined && !Object.values(map.features).some(({ kind }) => kind === 'image'))
      find('/report', 'is of the study that an image is read from, but feature-map.json has no feature of kind image');
    manifest.outcomes.forEach((outcome, index) => {
      if (isRisk(outcome)) return;
      for (const name of outcome.effective ?? [])
        checkEffective(map, name, (message) => find(`/outcomes/${index}/effective`, message));
    });
  });
}

/** That an input names an image of the map whose steps end in its shape. */
function checkImageInput(image: string, shape: readonly number[] | undefined, map: FeatureMap, find: Find): void {
  const definition = Object.hasOwn(map.features, image) ? map.features[image] : undefined;
  if (definition === undefined) find('/image', `is ${image}, which feature-map.json does not define`);
  else if (definition.kind !== 'image') find('/image', `is ${image}, which is of kind ${definition.kind} and no image`);
  else {
    const made = shapeOfImage(definition);
    // Steps that end in no shape are a finding of their own.
    if (shape !== undefined && made.length > 0 && made.join() !== shape.join())
      find('/shape', `is [${shape.join(', ')}], but the steps of ${image} end in [${made.join(', ')}]`);
  }
}

/** Features that fill two columns of one input in the same way. */
function filledAlike(columns: readonly InputColumn[]): string[] {
  const ways = columns.map(({ feature, at, encode = {}, transform, indicator }) =>
    JSON.stringify([
      feature,
      at && [at.bin, at.channel],
      Object.entries(encode).sort(),
      transform ?? null,
      indicator ?? null,
    ]),
  );
  return repeated(ways).map((way) => (JSON.parse(way) as [string])[0]);
}

/** Features that no measurement dates: with them alone a result would be of as-of in silence. */
const undated: ReadonlySet<string> = new Set(['demographics', 'address', 'input', 'text']);

function checkEffective(map: FeatureMap, name: string, find: (message: string) => void): void {
  const definition = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
  if (definition === undefined) find(`names ${name}, which feature-map.json does not define`);
  else if (undated.has(definition.kind)) find(`names ${name}, which is nothing that the outcome is measured by`);
}

function checkChecksumNames(manifest: Manifest, find: Find): void {
  const names = Object.keys(manifest.checksums);
  for (const name of names) {
    if (!requiredFiles.includes(name) && !furtherFiles.test(name)) {
      const holds = `${requiredFiles.join(', ')}, golden/*.json or *.npy, tables/*.csv or *.json, valueSets/*.json, cards/*.md or *.json and explanation/background.csv`;
      find('/checksums', `lists ${name}; a version folder holds ${holds}`);
    }
  }
  for (const name of requiredFiles) if (!names.includes(name)) find('/checksums', `does not list ${name}`);
  if (!names.some((name) => /^golden\/.*\.json$/.test(name))) find('/checksums', 'lists no golden/*.json');
}

function checkOutcomes(manifest: Manifest, find: Find): void {
  const { outcomes } = manifest;
  for (const id of repeated(outcomes.flatMap(idsOf))) find('/outcomes', `the id ${id} is there twice`);
  for (const column of repeated(outcomes.flatMap((outcome) => ownColumns(outcome).map(String)))) {
    find('/outcomes', `column ${column} is read by two outcomes`);
  }
  const [first] = outcomes;
  outcomes.forEach((outcome, index) => {
    const path = `/outcomes/${index}`;
    checkReadColumns(outcome, manifest, (place, message) => find(`${path}${place}`, message));
    if (manifest.report === undefined && first !== undefined && isRisk(first) !== isRisk(outcome)) {
      find(
        `${path}/kind`,
        `is ${outcome.kind}, but ${first.id} is ${first.kind}: a result is a RiskAssessment of probabilities and curves or an Observation of anything else; make two models of it, or a report of an imaging study`,
      );
    }
    checkForm(outcome, (place, message) => find(`${path}${place}`, message));
  });
}

/** The names under which results say an outcome: of a curve one for each of its times. */
function idsOf(outcome: Outcome): readonly string[] {
  return outcome.kind === 'survival' ? outcome.times.map(({ at }) => pointId(outcome, at)) : [outcome.id];
}

/** What the schema cannot say of one outcome. */
function checkForm(outcome: Outcome, find: Find): void {
  const { kind } = outcome;
  checkPostProcessing(outcome, find);
  if (kind === 'class') {
    for (const code of repeated(outcome.classes.map(({ code }) => code)))
      find('/classes', `the code ${code} is there twice`);
    for (const number of repeated(outcome.classes.map(({ number }) => String(number))))
      find('/classes', `two classes have the number ${number}`);
    return;
  }
  if (kind === 'measurement' && !isUcumUnit(outcome.unit)) find('/unit', `is '${outcome.unit}', which is no UCUM unit`);
  const [least, most] = scoreRange(outcome) ?? [0, 1];
  if (least >= most) find('/range', `is empty: ${least} to ${most}`);
  else checkBands(bandsOf(outcome), [least, most], (message) => find('/bands/levels', message));
  if (isRisk(outcome)) return;
  for (const { code, riskProbability } of bandsOf(outcome)) {
    if (riskProbability !== undefined)
      find('/bands/levels', `${code} has a riskProbability, which only a band of probabilities can have`);
  }
}

/** From the least score upwards, each level where the one before ends, the last without an end. */
function checkBands(
  levels: readonly Band[],
  [least, most]: readonly [number, number],
  find: (message: string) => void,
): void {
  let end: number | undefined = least;
  levels.forEach((level, index) => {
    if (end === undefined) find(`${level.code} follows a level without an upper limit`);
    else if (level.from > end) find(`leave a gap from ${end} to ${level.from} before ${level.code}`);
    else if (level.from < end) find(`overlap: ${level.code} starts at ${level.from}, the level before ends at ${end}`);
    if (level.below !== undefined && level.below <= level.from) find(`${level.code} is empty`);
    if (level.from > most) find(`${level.code} starts at ${level.from}, above the greatest score ${most}`);
    if (index === levels.length - 1 && level.below !== undefined) {
      find(`end at ${level.below}; the highest level must have no upper limit`);
    }
    end = level.below;
  });
  for (const code of repeated(levels.map((level) => level.code))) find(`the code ${code} is there twice`);
}

function checkColumn(column: InputColumn, type: InputTensor['type'], map: FeatureMap, find: Find): void {
  const definition = Object.hasOwn(map.features, column.feature) ? map.features[column.feature] : undefined;
  if (definition === undefined) {
    find('/feature', `is ${column.feature}, which feature-map.json does not define`);
    return;
  }
  if (definition.kind === 'image') {
    find(
      '/feature',
      `is ${column.feature}, an image; an input takes it whole: "image": "${column.feature}" in the place of columns`,
    );
    return;
  }
  if (type === 'string' || definition.kind === 'text') {
    checkTextColumn(column, type, definition, find);
    return;
  }
  if (column.indicator !== undefined) {
    if (column.encode !== undefined || column.transform !== undefined)
      find('/indicator', `takes no encode and no transform: it is 1 where ${column.feature} is missing, else 0`);
    return;
  }
  if (!checkAt(column, definition, find)) return;
  checkTransform(column, definition, find);
  if (valueKind(definition) !== 'code') {
    if (column.encode !== undefined)
      find('/encode', `${column.feature} is a ${valueKind(definition)} and needs no encoding`);
    return;
  }
  const encoded = Object.keys(column.encode ?? {});
  for (const code of codesInPopulation(map, column.feature, definition)) {
    if (!encoded.includes(code)) find('/encode', `has no number for ${code}, which ${column.feature} can be`);
  }
  for (const code of encoded) {
    if (!vocabularyOf(definition).includes(code))
      find('/encode', `${code} is not in the vocabulary of ${column.feature}`);
  }
}

/** That a text stands in a tensor of strings, and there nothing but texts and codes, as they are. */
function checkTextColumn(
  { feature, encode, transform, indicator }: InputColumn,
  type: InputTensor['type'],
  definition: FeatureDefinition,
  find: Find,
): void {
  const kind = valueKind(definition);
  if (type !== 'string')
    find('/feature', `is ${feature}, a text, which an input of type ${type} cannot take; only string can`);
  else if (kind !== 'text' && kind !== 'code')
    find('/feature', `is ${feature}, a ${kind}, which an input of type string cannot take; it takes texts and codes`);
  for (const [key, value] of Object.entries({ encode, transform, indicator }))
    if (value !== undefined)
      find(`/${key}`, `is for a column of numbers: ${feature} goes into a tensor of strings as it is`);
}

function collect(check: (find: Find) => void): Finding[] {
  const findings: Finding[] = [];
  check((path, message) => findings.push({ file, path, message }));
  return findings;
}
