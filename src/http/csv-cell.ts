import { isFhirId } from '../fhir/reference.ts';

/**
 * One cell of CSV (RFC 4180), numbers with all their digits. A text that a spreadsheet would take for a formula gets an
 * apostrophe in front: what others sent never runs there.
 */
export function csvCell(value: string | number | boolean | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'boolean') return String(value);
  const harmless = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * The same, but a text that begins with an apostrophe gets another one: without its first apostrophe every text that has
 * one is what it was.
 */
export function csvTextCell(text: string | undefined): string {
  return csvCell(text?.startsWith("'") === true ? `'${text}` : text);
}

/** The same, but a logical id stays as it is, `-a` too: others join by it, and no formula that does anything is one. */
export function csvIdCell(id: string | undefined): string {
  return id !== undefined && isFhirId(id) ? id : csvCell(id);
}
