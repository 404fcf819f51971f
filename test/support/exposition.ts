/** One line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads Prometheus' text format (version 0.0.4), strictly: every sample belongs to a metric that HELP and TYPE came
 * before, and no two samples are the same. Throws for anything else.
 */
export function parseExposition(text: string): Sample[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const types = new Map<string, string>();
  const seen = new Set<string>();
  return text.split('\n').flatMap((line): Sample[] => {
    if (line === '' || line.startsWith('# HELP ')) return [];
    const [, metric, type] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (metric !== undefined && type !== undefined) {
      if (types.has(metric)) throw new Error(`${metric} is declared twice`);
      types.set(metric, type);
      return [];
    }
    const [, name = '', labelText = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const family = name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(name) && types.get(family) !== 'histogram' && types.get(family) !== 'summary')
      throw new Error(`no metric for the line ${line}`);
    const key = `${name}{${labelText}}`;
    if (seen.has(key)) throw new Error(`${key} stands there twice`);
    seen.add(key);
    return [{ name, labels: parseLabels(labelText), value: numberOf(value) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const rest = text.replace(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)",?/g, (_, name: string, value: string) => {
    labels[name] = value;
    return '';
  });
  if (rest !== '') throw new Error(`labels that cannot be read: ${text}`);
  return labels;
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value) && text !== 'Nan' && text !== 'NaN') throw new Error(`no number: ${text}`);
  return value;
}

/** The sum of the samples of a name whose labels include these. */
export function total(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
