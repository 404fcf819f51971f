import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv';

/** What base R4 asks of one definition beyond its JSON schema. */
export interface ElementRules {
  /** Primitive elements that must be present, as a value or as an extension (`_name`). */
  readonly required: readonly string[];
  readonly choices: readonly { readonly base: string; readonly required: boolean; readonly names: readonly string[] }[];
}

const validate: SchemaValidateFunction = (rules: ElementRules, data: Record<string, unknown>) => {
  const findings: { keyword: string; message: string; params: { element: string } }[] = [];
  const find = (element: string, message: string) =>
    findings.push({ keyword: 'elementRules', message, params: { element } });
  const present = (name: string) => data[name] !== undefined || data[`_${name}`] !== undefined;
  for (const name of rules.required) if (!present(name)) find(name, `${name} is required and missing`);
  for (const { base, required, names } of rules.choices) {
    const given = names.filter(present);
    if (given.length > 1) find(base, `${base}[x] may be given once, but there are ${given.join(' and ')}`);
    if (given.length === 0 && required) find(base, `${base}[x] is required and missing`);
  }
  validate.errors = findings;
  return findings.length === 0;
};

/** The ajv keyword `elementRules`: required primitives, and choice elements given at most once. */
export const elementRulesKeyword: FuncKeywordDefinition = {
  keyword: 'elementRules',
  type: 'object',
  schemaType: 'object',
  errors: 'full',
  validate,
};
