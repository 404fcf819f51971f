import type { Finding } from '../finding.ts';
import type { Manifest } from '../manifest-schema.ts';
import { outputTensors } from '../model-tensors.ts';
import { ownColumns } from '../outcome-score.ts';
import type { ClassLabel, GraphFacts, LabelledOutput } from './graph-facts.ts';
import type { Checked } from './registration.ts';

/** A place of the manifest that reads one column of the outputs. */
interface Reading {
  /** JSON Pointer into the manifest. */
  readonly path: string;
  /** What is read, for messages. */
  readonly what: string;
  /** Counted through all outputs. */
  readonly column: number;
  readonly classLabel: ClassLabel | undefined;
  /** Of a class that is read by its number or name: those that are declared. */
  readonly declared?: readonly { readonly number: number; readonly classLabel?: ClassLabel }[];
  /** False for a number with a unit, or points: no score of a class is one. */
  readonly isScore: boolean;
}

/** An output that names its classes, and where its columns begin among all. */
interface Labelled extends LabelledOutput {
  readonly first: number;
}

/**
 * That the classes which the graph names are those that the outcomes say: whoever reads a column of the scores of a classifier
 * names the class of that column, so that nobody serves the probability of being well as that of being ill.
 */
export function checkClassLabels({ labelled }: Pick<GraphFacts, 'labelled'>, manifest: Manifest): Checked {
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  let count = 0;
  for (const reading of readingsOf(manifest)) {
    const output = labelledAt(labelled, manifest, reading.column);
    const place = { file: 'manifest.json', path: reading.path };
    if (output === undefined) {
      const message = `has classLabel ${shown(reading.classLabel ?? '')}, which cannot be compared: the graph names no classes for column ${reading.column}`;
      if (reading.classLabel !== undefined) notes.push({ ...place, message });
      continue;
    }
    count++;
    const message = output.holds === 'label' ? labelMisfit(reading, output) : scoreMisfit(reading, output);
    if (message !== undefined) findings.push({ ...place, message });
  }
  return { tested: 'columns whose classes the graph names', count, notes, findings };
}

function readingsOf({ outcomes }: Manifest): Reading[] {
  return outcomes.flatMap((outcome, index): Reading[] => {
    const path = `/outcomes/${index}`;
    const { id: what, kind } = outcome;
    if (kind !== 'class') {
      const isScore = kind === 'probability' || kind === 'finding';
      const classLabel = isScore ? outcome.classLabel : undefined;
      return ownColumns(outcome).map((column) => ({ path, what, column, classLabel, isScore }));
    }
    if (outcome.column !== undefined) {
      return [{ path, what, column: outcome.column, classLabel: undefined, declared: outcome.classes, isScore: true }];
    }
    return outcome.classes.flatMap(({ column, classLabel, code }, at) =>
      column === undefined
        ? []
        : [{ path: `${path}/classes/${at}`, what: `${what} ${code}`, column, classLabel, isScore: true }],
    );
  });
}

function labelledAt(labelled: readonly LabelledOutput[], manifest: Manifest, column: number): Labelled | undefined {
  let first = 0;
  for (const { name, columns } of outputTensors(manifest)) {
    if (column < first + columns) {
      const found = labelled.find(({ output }) => output === name);
      return found && { ...found, first };
    }
    first += columns;
  }
  return undefined;
}

function scoreMisfit(
  { what, column, classLabel, declared, isScore }: Reading,
  { output, operator, labels, first }: Labelled,
): string | undefined {
  const listed = labels.map((each, index) => `${shown(each)} in column ${first + index}`).join(', ');
  const there = `${output} comes from a ${operator}, whose classes are: ${listed}`;
  const label = labels[column - first];
  if (label === undefined)
    return `reads column ${column}, but ${there}; take the column of the class that ${what} is about`;
  if (!isScore || declared !== undefined)
    return `reads column ${column}, the score of the class ${shown(label)}, as what it is not: ${there}. Make ${what} a probability, or give each of its classes its column`;
  if (classLabel === undefined)
    return `needs classLabel: ${there}. Say which class ${what} is about; column ${column} is that of ${shown(label)}`;
  if (classLabel === label) return undefined;
  const right = labels.indexOf(classLabel);
  const wayOut =
    right < 0
      ? `the graph has no class ${shown(classLabel)}`
      : `the column of ${shown(classLabel)} is ${first + right}`;
  return `has classLabel ${shown(classLabel)}, but column ${column} is that of ${shown(label)}; ${wayOut} (${there})`;
}

/** Every label that the graph can give is a declared class: an unknown one would be refused at the bedside. */
function labelMisfit({ what, declared }: Reading, { output, operator, labels }: Labelled): string | undefined {
  const listed = labels.map(shown).join(', ');
  if (declared === undefined)
    return `reads ${output}, the class that a ${operator} decided on (one of ${listed}), and no score; take the output with its scores, or make ${what} a class`;
  // A text stands for the class that has it as its classLabel, a number is that of the class.
  const unknown = labels.filter(
    (label) => !declared.some((each) => label === (typeof label === 'number' ? each.number : each.classLabel)),
  );
  if (unknown.length === 0) return undefined;
  return `declares no class for ${unknown.map(shown).join(', ')}, which ${output} (${operator}) can give; declare every one of ${listed}`;
}

function shown(label: ClassLabel): string {
  return typeof label === 'number' ? String(label) : `"${label}"`;
}
