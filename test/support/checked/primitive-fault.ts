const number = { decimal: true, integer: true, unsignedInt: true, positiveInt: true } as const;

const patterns: Readonly<Record<string, RegExp>> = {
  date: /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/,
  dateTime:
    /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-](0\d:[0-5]\d|1[0-3]:[0-5]\d|14:00)))?)?)?$/,
  instant:
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-](0\d:[0-5]\d|1[0-3]:[0-5]\d|14:00))$/,
  time: /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?$/,
  code: /^[^\s]+(\s[^\s]+)*$/,
  id: /^[A-Za-z0-9\-.]{1,64}$/,
  oid: /^urn:oid:[0-2](\.(0|[1-9]\d*))+$/,
  uuid: /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  uri: /^\S+$/,
  url: /^\S+$/,
  canonical: /^\S+$/,
  base64Binary: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
};

/** What is wrong with the JSON value of a FHIR primitive; undefined where nothing is. */
export function primitiveFault(type: string, value: unknown): string | undefined {
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : 'is no boolean';
  if (type in number) return numberFault(type, value);
  if (typeof value !== 'string') return `is no ${type}: a ${typeof value}`;
  if (value === '' || value.trim() === '') return 'is an empty string';
  const pattern = patterns[type];
  if (pattern !== undefined && !pattern.test(value)) return `is no ${type}: ${value.slice(0, 60)}`;
  return undefined;
}

function numberFault(type: string, value: unknown): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `is no ${type}: a ${typeof value}`;
  if (type === 'decimal') return undefined;
  if (!Number.isInteger(value)) return `is no ${type}`;
  if (type === 'unsignedInt' && value < 0) return 'is negative';
  if (type === 'positiveInt' && value < 1) return 'is not positive';
  return undefined;
}
