import { analyteNames } from './analytes.ts';
import type { FeatureDefinition } from './feature-map-schema.ts';
import { codesOfFeatureMap } from './lint/code-uses.ts';
import { usedKey } from './used-models.ts';

/**
 * Whether two features may read the same of a record: one fact about a person stands under many codes. Where what they
 * declare does not tell them apart they may.
 */
export function readSame(one: FeatureDefinition, other: FeatureDefinition): boolean {
  if (one.kind === 'input' || other.kind === 'input') return false;
  if (one.kind === 'model' || other.kind === 'model')
    return one.kind === 'model' && other.kind === 'model' && usedKey(one) === usedKey(other);
  if (one.kind === 'demographics' || other.kind === 'demographics')
    return one.kind === 'demographics' && other.kind === 'demographics' && elementOf(one) === elementOf(other);
  const others = allCodes(other);
  if (allCodes(one).some((code) => others.includes(code))) return true;
  return whatIsRead(one) === whatIsRead(other) && !areToldApart(one, other);
}

/** Of two that read one kind of resource, and no code in common: whether they clearly read something different. */
function areToldApart(one: FeatureDefinition, other: FeatureDefinition): boolean {
  const [analyte, another] = [declaredAnalyte(one), declaredAnalyte(other)];
  if (analyte !== undefined && another !== undefined) return analyte !== another;
  const [codes, others] = [subjectCodes(one), subjectCodes(other)];
  const sharesSystem = codes.some((code) => others.some((known) => systemOf(known) === systemOf(code)));
  if (!sharesSystem) return false;
  const isBelow = codes.some((code) => others.some((known) => liesBelow(code, known) || liesBelow(known, code)));
  if (isBelow) return false;
  const [named, alsoNamed] = [analyte ?? labelledAnalyte(one), another ?? labelledAnalyte(other)];
  if (named !== undefined && named === alsoNamed) return false;
  const [words, otherWords] = [wordsOf(one.label), wordsOf(other.label)];
  return !isWithin(words, otherWords) && !isWithin(otherWords, words);
}

/** The sex of a person is one, whichever element says it. */
function elementOf({ element }: Extract<FeatureDefinition, { kind: 'demographics' }>): string {
  return element === 'birth-sex' ? 'sex' : element;
}

function whatIsRead({ kind }: FeatureDefinition): string {
  return ['observation', 'sequence', 'answer', 'category'].includes(kind) ? 'Observation' : kind;
}

/** Every code that a feature names, those of answers, panels and encounters too. */
function allCodes(definition: FeatureDefinition): readonly string[] {
  const uses = codesOfFeatureMap({
    language: 1,
    features: { definition },
    population: { exclude: [], require: [], ranges: [] },
  });
  return uses.map(({ system, code }) => `${system}|${code}`);
}

/** The codes that say what a feature is about. */
function subjectCodes(definition: FeatureDefinition): readonly string[] {
  return [
    ...(('codes' in definition ? definition.codes : undefined) ?? []),
    ...(('component' in definition ? definition.component?.codes : undefined) ?? []),
    ...(('ingredients' in definition ? definition.ingredients : undefined) ?? []),
    ...(('class' in definition ? definition.class : undefined) ?? []),
  ];
}

function systemOf(code: string): string {
  return code.slice(0, code.indexOf('|'));
}

/** Of classifications whose codes begin with that of the class above (ICD-10, ATC): letter, digit and so on. */
function liesBelow(code: string, above: string): boolean {
  return /\|[A-Z]\d[^|]*$/i.test(above) && code.startsWith(above);
}

function declaredAnalyte(definition: FeatureDefinition): string | undefined {
  return 'analyte' in definition ? definition.analyte : undefined;
}

/** The analyte whose name stands in the label; of several the one with the longest name. */
function labelledAnalyte({ label }: FeatureDefinition): string | undefined {
  const words = wordsOf(label);
  const found = analyteNames.filter((name) => isWithin(wordsOf(name), words));
  return found.sort((a, b) => wordsOf(b).size - wordsOf(a).size)[0];
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .toLowerCase()
      .replaceAll('haem', 'hem')
      .match(/[\p{L}\p{N}]+/gu),
  );
}

function isWithin(words: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...words].every((word) => others.has(word));
}
