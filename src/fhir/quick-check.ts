/** A JSON schema as `resource-schemas.ts` adapts it. */
type Schema = Record<string, unknown>;
/** True only where the value is certainly valid. @param depth how deep the value lies in what is checked */
type Check = (value: unknown, depth: number) => boolean;

export interface QuickCheckParts {
  /** The adapted definition of a type; undefined where there is none. */
  readonly definitionOf: (name: string) => Schema | undefined;
  readonly formats: Readonly<Record<string, (text: string) => boolean>>;
  /** True only for a value that is certainly a valid resource. */
  readonly resource: Check;
}

/** Beyond this the thorough check decides. */
const depthCap = 60;

/**
 * Compiles the definition of a type into a check that looks at the elements that are there, not at the hundreds that
 * might be: ten times as fast as the thorough one on what is valid, and silent about what is wrong. It knows the keywords
 * of the adapted definitions only; anything it does not know is left to the thorough check, and so is null.
 */
export function createQuickCheck(parts: QuickCheckParts): (type: string) => Check {
  const compiled = new Map<string, Check>();
  const checkOf = (name: string): Check => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    let check: Check = never;
    // Types refer to each other and to themselves: what refers to this one meanwhile finds it through this reference.
    compiled.set(name, (value, depth) => check(value, depth));
    const definition = parts.definitionOf(name);
    check = definition === undefined ? never : compileObject(definition, parts, checkOf);
    compiled.set(name, check);
    return check;
  };
  return checkOf;
}

const never: Check = () => false;

function compileObject(definition: Schema, parts: QuickCheckParts, checkOf: (name: string) => Check): Check {
  const { properties, required, elementRules } = definition as {
    properties: Record<string, Schema>;
    required: readonly string[];
    elementRules: {
      required: readonly string[];
      choices: readonly { names: readonly string[]; required: boolean }[];
    };
  };
  const choiceOf = new Map(
    elementRules.choices.flatMap(({ names }, index) => names.map((name) => [name, index] as const)),
  );
  // More choices than bits: left to the thorough check. No type of R4 has as many.
  if (elementRules.choices.length > 31) return never;
  const elements = new Map<string, Element>();
  for (const [key, schema] of Object.entries(properties)) {
    const check = compile(schema, parts, checkOf);
    const choice = choiceOf.get(key.startsWith('_') ? key.slice(1) : key);
    const bit = choice === undefined ? 0 : 1 << choice;
    elements.set(key, { check: key === 'contained' ? containingNone(check) : check, bit });
  }
  const needed = [...required, ...elementRules.required];
  const neededChoices = elementRules.choices.reduce(
    (bits, { required: must }, index) => (must ? bits | (1 << index) : bits),
    0,
  );
  return (value, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > depthCap) return false;
    const holder = value as Record<string, unknown>;
    let empty = true;
    let chosen = 0;
    for (const key in holder) {
      empty = false;
      const element = elements.get(key);
      if (element === undefined || !element.check(holder[key], depth + 1)) return false;
      // A second one of a choice, be it `_valueString` beside `valueString`, is left to the thorough check.
      if ((chosen & element.bit) !== 0) return false;
      chosen |= element.bit;
    }
    if (empty || (chosen & neededChoices) !== neededChoices) return false;
    for (const key of needed) if (holder[key] === undefined) return false;
    return true;
  };
}

/** An element of an object, and the bit of the choice (`value[x]`) it belongs to. */
interface Element {
  readonly check: Check;
  readonly bit: number;
}

/** A contained resource contains none itself. */
function containingNone(check: Check): Check {
  return (value, depth) =>
    check(value, depth) && Array.isArray(value) && value.every((resource) => !Object.hasOwn(resource, 'contained'));
}

function compile(schema: Schema, parts: QuickCheckParts, checkOf: (name: string) => Check): Check {
  const keywords = Object.keys(schema).filter((key) => key !== 'description');
  const has = (...known: readonly string[]) => keywords.every((key) => known.includes(key));
  if (has('$ref')) return checkOf(String(schema.$ref).replace('r4:', ''));
  if (has('enum') && Array.isArray(schema.enum)) {
    const allowed: ReadonlySet<unknown> = new Set(schema.enum);
    return (value) => allowed.has(value);
  }
  if (has('const')) return (value) => value === schema.const && typeof value === 'string';
  if (has('anyOf') && Array.isArray(schema.anyOf)) {
    const other = schema.anyOf.find(({ type }: Schema) => type !== 'null') as Schema | undefined;
    return schema.anyOf.length === 2 && other !== undefined ? compile(other, parts, checkOf) : never;
  }
  const types: readonly unknown[] = Array.isArray(schema.type)
    ? schema.type.filter((type) => type !== 'null')
    : [schema.type];
  if (types.length !== 1) return never;
  switch (types[0]) {
    case 'array': {
      if (!has('type', 'items')) return never;
      const item = compile(schema.items as Schema, parts, checkOf);
      return (value, depth) => {
        if (!Array.isArray(value) || value.length === 0) return false;
        for (const each of value) if (!item(each, depth + 1)) return false;
        return true;
      };
    }
    case 'string':
      return has('type', 'pattern', 'format') ? compileString(schema, parts) : never;
    case 'boolean':
      return has('type') ? (value) => typeof value === 'boolean' : never;
    case 'number':
      return has('type') ? (value) => typeof value === 'number' && Number.isFinite(value) : never;
    case 'integer': {
      if (!has('type', 'minimum', 'maximum')) return never;
      const [least, most] = [Number(schema.minimum), Number(schema.maximum)];
      return (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
    }
    case 'object':
      // What the definitions leave open is a resource.
      return has('type') ? parts.resource : never;
    default:
      return never;
  }
}

function compileString({ pattern, format }: Schema, parts: QuickCheckParts): Check {
  const test = format === undefined ? undefined : parts.formats[String(format)];
  if (format !== undefined && test === undefined) return never;
  if (pattern === undefined) {
    return (value) =>
      typeof value === 'string' && value !== '' && isPlainText(value) && (test === undefined || test(value));
  }
  const shape = new RegExp(String(pattern), 'u');
  // All that is printable and ASCII is text: for most strings one look is enough.
  const anyText = printable.every((character) => shape.test(character)) && pattern === textPattern;
  return (value) => {
    if (typeof value !== 'string' || value === '') return false;
    const isPrintable = printableText.test(value);
    if (!isPrintable && !isPlainText(value)) return false;
    return ((anyText && isPrintable) || shape.test(value)) && (test === undefined || test(value));
  };
}

const printableText = /^[ -~]*$/;
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
/** FHIR's string and markdown. */
const textPattern = '^[ \\r\\n\\t\\S]+$';

/** Without control characters and halves of characters. */
function isPlainText(text: string): boolean {
  if (printableText.test(text)) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) && text.isWellFormed();
}
