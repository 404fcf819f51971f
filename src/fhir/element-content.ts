import { type TextKind, textKind, textKindOf } from './certain-text.ts';

/** A JSON schema as `resource-schemas.ts` adapts it. */
export type Schema = Record<string, unknown>;
/** True only where the value is certainly valid. @param depth how deep the value lies in what is checked */
export type Check = (value: unknown, depth: number) => boolean;

/**
 * What one element holds, as the quick check knows it: an object of a type, if there is one; or else a text of a kind,
 * or what passes the check.
 */
export interface Content<Type> {
  readonly type: Type | undefined;
  readonly text: TextKind;
  readonly check: Check;
  readonly many: boolean;
}

export interface ContentParts<Type> {
  /** The compiled type of a name. */
  readonly typeOf: (name: string) => Type;
  readonly formats: Readonly<Record<string, (text: string) => boolean>>;
  /** True only for a value that is certainly a valid resource. */
  readonly resource: Check;
}

const never: Check = () => false;

function single(check: Check): Content<never> {
  return { type: undefined, text: textKind.none, check, many: false };
}

/** A contained resource contains none itself. */
export function containingNone<Type>({ check, ...content }: Content<Type>): Content<Type> {
  return { ...content, check: (value, depth) => check(value, depth) && !Object.hasOwn(value as object, 'contained') };
}

/** The content of an element by its schema. What it does not know is left to the thorough check, and so is null. */
export function contentOf<Type>(schema: Schema, parts: ContentParts<Type>): Content<Type> {
  const keywords = Object.keys(schema).filter((key) => key !== 'description');
  const has = (...known: readonly string[]) => keywords.every((key) => known.includes(key));
  if (has('$ref')) return { ...single(never), type: parts.typeOf(String(schema.$ref).replace('r4:', '')) };
  if (has('enum') && Array.isArray(schema.enum)) {
    const allowed: ReadonlySet<unknown> = new Set(schema.enum);
    return single((value) => allowed.has(value));
  }
  if (has('const')) return single((value) => value === schema.const && typeof value === 'string');
  if (has('anyOf') && Array.isArray(schema.anyOf)) {
    const other = schema.anyOf.find(({ type }: Schema) => type !== 'null') as Schema | undefined;
    return schema.anyOf.length === 2 && other !== undefined ? contentOf(other, parts) : single(never);
  }
  if (schema.type === 'array' && has('type', 'items')) {
    const item = contentOf(schema.items as Schema, parts);
    return item.many ? single(never) : { ...item, many: true };
  }
  const types = [schema.type].flat().filter((type) => type !== 'null');
  if (types.length !== 1) return single(never);
  if (types[0] === 'string') return has('type', 'pattern', 'format') ? stringContent(schema, parts) : single(never);
  return single(otherCheck(types[0], schema, has, parts));
}

function otherCheck(
  type: unknown,
  schema: Schema,
  has: (...known: readonly string[]) => boolean,
  parts: ContentParts<unknown>,
): Check {
  switch (type) {
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

/** Most strings are told by a look at their characters; the rest by the pattern and the format of the definition. */
function stringContent({ pattern, format }: Schema, parts: ContentParts<unknown>): Content<never> {
  const test = format === undefined ? undefined : parts.formats[String(format)];
  if (format !== undefined && test === undefined) return single(never);
  const shape = pattern === undefined ? undefined : new RegExp(String(pattern), 'u');
  const slowly = (text: string): boolean =>
    text !== '' && isPlainText(text) && (shape === undefined || shape.test(text)) && (test === undefined || test(text));
  return {
    ...single((value) => typeof value === 'string' && slowly(value)),
    text: textKindOf(pattern as string | undefined, format as string | undefined),
  };
}

const printableText = /^[ -~]*$/;

/** Without control characters and halves of characters. */
function isPlainText(text: string): boolean {
  if (printableText.test(text)) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) && text.isWellFormed();
}
