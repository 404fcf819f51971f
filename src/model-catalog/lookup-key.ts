import type { KeyStep } from './address-schema.ts';

/** The text by which something is looked up; undefined where it has none of the declared shapes, or nothing is left. */
export type KeyReader = (text: string) => string | undefined;

/** What a map does to a text before it is looked up. Texts that Unicode takes for equal become equal first. */
export function compileKey(steps: readonly KeyStep[] = []): KeyReader {
  const compiled = steps.map(compileStep);
  return (text) => {
    let key: string | undefined = text.normalize('NFC');
    for (const step of compiled) {
      key = step(key);
      if (key === undefined) return undefined;
    }
    return key === '' ? undefined : key;
  };
}

function compileStep(step: KeyStep): KeyReader {
  if (step === 'trim') return (text) => text.trim().replace(/\s+/g, ' ');
  if (step === 'upper-case') return (text) => text.toUpperCase();
  if (step === 'no-spaces') return (text) => text.replace(/\s+/g, '');
  if ('first' in step) return (text) => [...text].slice(0, step.first).join('');
  return (text) => (step.shapes.some((shape) => hasShape(text, shape)) ? text : undefined);
}

function hasShape(text: string, shape: string): boolean {
  if (text.length !== shape.length) return false;
  for (let at = 0; at < shape.length; at++) {
    const wanted = shape.charAt(at);
    const given = text.charAt(at);
    if (wanted === '9' ? given < '0' || given > '9' : wanted === 'A' ? given < 'A' || given > 'Z' : given !== wanted)
      return false;
  }
  return true;
}

/** How the country of an address is compared with those of a table. */
export function countryKey(text: string): string {
  return text.trim().toUpperCase();
}
