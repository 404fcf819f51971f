import { isCertainText, noPassedTexts, type PassedTexts } from './certain-text.ts';
import { type Check, type Content, containingNone, contentOf, type Schema } from './element-content.ts';

export interface QuickCheckParts {
  /** The adapted definition of a type; undefined where there is none. */
  readonly definitionOf: (name: string) => Schema | undefined;
  readonly formats: Readonly<Record<string, (text: string) => boolean>>;
  /** True only for a value that is certainly a valid resource. */
  readonly resource: Check;
}

/** A compiled definition. Filled after it is made, for types refer to each other and to themselves. */
interface ObjectType {
  readonly elements: Map<string, Element>;
  /** The bits of what must be there. */
  needed: number;
  /** The element that the last value of the type began with: most likely the next one does too. */
  first: Element | undefined;
}

/** An element of an object. */
interface Element extends Content<ObjectType> {
  readonly name: string;
  /** A bit of its own if it is required, and that of the choice (`value[x]`) it belongs to; 0 for most. */
  readonly bit: number;
  /** The element that came behind it in the last value: a guess that saves most look-ups. */
  next: Element | undefined;
}

/** Beyond this the thorough check decides. */
const depthCap = 60;

/**
 * Compiles the definition of a type into a check that looks at the elements that are there, not at the hundreds that
 * might be: many times as fast as the thorough one on what is valid, and silent about what is wrong. It knows the keywords
 * of the adapted definitions only; anything it does not know is left to the thorough check, and so is null.
 */
export function createQuickCheck({ definitionOf, formats, resource }: QuickCheckParts): (type: string) => Check {
  const passed = noPassedTexts();
  const compiled = new Map<string, ObjectType>();
  const typeOf = (name: string): ObjectType => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    const type: ObjectType = { elements: new Map(), needed: 0, first: undefined };
    compiled.set(name, type);
    const definition = definitionOf(name);
    if (definition !== undefined) fill(type, definition, (schema) => contentOf(schema, { typeOf, formats, resource }));
    return type;
  };
  return (name) => {
    const type = typeOf(name);
    return (value, depth) => holds(type, value, depth, passed);
  };
}

/** One function for all types: it is run so often that it is the best compiled one. */
function holds(type: ObjectType, value: unknown, depth: number, passed: PassedTexts): boolean {
  if (typeof value !== 'object' || value === null || depth > depthCap || Array.isArray(value)) return false;
  let found = 0;
  let last: Element | undefined;
  for (const key in value) {
    let element: Element | undefined = last === undefined ? type.first : last.next;
    if (element === undefined || element.name !== key) {
      element = type.elements.get(key);
      if (element === undefined) return false;
      if (last === undefined) type.first = element;
      else last.next = element;
    }
    // A second one of a choice, be it `_valueString` beside `valueString`, is left to the thorough check.
    if ((found & element.bit) !== 0) return false;
    found |= element.bit;
    last = element;
    const content = (value as Record<string, unknown>)[key];
    const isContent = element.many
      ? allFit(element, content, depth + 1, passed)
      : fits(element, content, depth + 1, passed);
    if (!isContent) return false;
  }
  return last !== undefined && (found & type.needed) === type.needed;
}

function fits({ type, text, check }: Content<ObjectType>, value: unknown, depth: number, passed: PassedTexts): boolean {
  if (type !== undefined) return holds(type, value, depth, passed);
  return (typeof value === 'string' && isCertainText(text, value, passed)) || check(value, depth);
}

function allFit(element: Content<ObjectType>, values: unknown, depth: number, passed: PassedTexts): boolean {
  if (!Array.isArray(values) || values.length === 0) return false;
  for (let at = 0; at < values.length; at++) if (!fits(element, values[at], depth + 1, passed)) return false;
  return true;
}

function fill(type: ObjectType, definition: Schema, contentFor: (schema: Schema) => Content<ObjectType>): void {
  const { properties, required, elementRules } = definition as {
    properties: Record<string, Schema>;
    required: readonly string[];
    elementRules: {
      required: readonly string[];
      choices: readonly { names: readonly string[]; required: boolean }[];
    };
  };
  const { choices } = elementRules;
  const needed = [...new Set([...required, ...elementRules.required])];
  // More than there are bits: left to the thorough check. No type of R4 has as many.
  if (choices.length + needed.length > 31) return;
  const bitOf = new Map(needed.map((name, index) => [name, 1 << (choices.length + index)] as const));
  for (const [index, { names }] of choices.entries()) {
    for (const name of names)
      for (const key of [name, `_${name}`]) bitOf.set(key, (bitOf.get(key) ?? 0) | (1 << index));
  }
  for (const [key, schema] of Object.entries(properties)) {
    const content = contentFor(schema);
    const { type: held, text, check, many } = key === 'contained' ? containingNone(content) : content;
    type.elements.set(key, { name: key, type: held, text, check, many, bit: bitOf.get(key) ?? 0, next: undefined });
  }
  for (const name of needed) type.needed |= bitOf.get(name) ?? 0;
  for (const [index, { required: must }] of choices.entries()) if (must) type.needed |= 1 << index;
}
