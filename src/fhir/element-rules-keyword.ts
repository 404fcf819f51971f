import type { FuncKeywordDefinition } from 'ajv';

type DataValidateFunction = ReturnType<NonNullable<FuncKeywordDefinition['compile']>>;

/** What base R4 asks of one definition beyond its JSON schema. */
export interface ElementRules {
  /** Primitive elements that must be present, as a value or as an extension (`_name`). */
  readonly required: readonly string[];
  readonly choices: readonly { readonly base: string; readonly required: boolean; readonly names: readonly string[] }[];
}

/** Made once per definition: an Extension has some fifty names for its value, and is seen dozens of times per resource. */
function compile(rules: ElementRules): DataValidateFunction {
  const choiceOf = new Map(rules.choices.flatMap(({ names }, index) => names.map((name) => [name, index] as const)));
  const validate: DataValidateFunction = (data: Record<string, unknown>) => {
    const findings: { keyword: string; message: string; params: { element: string } }[] = [];
    const find = (element: string, message: string) =>
      findings.push({ keyword: 'elementRules', message, params: { element } });
    for (const name of rules.required) {
      if (data[name] === undefined && data[`_${name}`] === undefined) find(name, `${name} is required and missing`);
    }
    if (rules.choices.length > 0) {
      const given = givenNames(data, choiceOf);
      for (const [index, { base, required }] of rules.choices.entries()) {
        const names = given.get(index);
        if (names === undefined && required) find(base, `${base}[x] is required and missing`);
        if (names !== undefined && names.size > 1) {
          find(base, `${base}[x] may be given once, but there are ${[...names].join(' and ')}`);
        }
      }
    }
    validate.errors = findings;
    return findings.length === 0;
  };
  return validate;
}

/** The names of each choice that an object holds, as a value or as an extension. */
function givenNames(data: Record<string, unknown>, choiceOf: ReadonlyMap<string, number>): Map<number, Set<string>> {
  const given = new Map<number, Set<string>>();
  for (const key of Object.keys(data)) {
    const name = key.startsWith('_') ? key.slice(1) : key;
    const choice = choiceOf.get(name);
    if (choice === undefined || data[key] === undefined) continue;
    given.set(choice, (given.get(choice) ?? new Set()).add(name));
  }
  return given;
}

/** The ajv keyword `elementRules`: required primitives, and choice elements given at most once. */
export const elementRulesKeyword: FuncKeywordDefinition = {
  keyword: 'elementRules',
  type: 'object',
  schemaType: 'object',
  errors: 'full',
  compile,
};
