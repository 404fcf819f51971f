import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { missingReasons } from '../../src/features/feature-vector.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { root } from '../support/markdown-blocks.ts';
import { parsePlainYaml } from '../support/plain-yaml.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const read = (file: string): string => readFileSync(path.join(root, 'docker/prometheus', file), 'utf8');
const { groups } = parsePlainYaml(read('alerts.yml')) as unknown as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const metrics = createMetrics();
afterAll(() => metrics.close());

describe('docker/prometheus', () => {
  it('has alert rules on what is missing, assumed, unmapped, abstained, failed, refused and denied', () => {
    expect(rules.map(({ alert }) => alert)).toEqual([
      'FeatureMissing',
      'FeatureAssumed',
      'FeatureUnmapped',
      'ModelAbstains',
      'FhirsightDown',
      'InternalErrors',
      'PredictionsFail',
      'RowsOfTheLogLost',
      'AuditFileNotWritten',
      'Overloaded',
      'CallersRateLimited',
      'DenialsRise',
    ]);
    for (const { alert, labels, annotations } of rules) {
      expect(['warning', 'critical'], alert).toContain(labels.severity);
      expect(annotations.summary, alert).not.toBe('');
      expect(annotations.description, alert).not.toBe('');
    }
  });

  it('asks only for metrics and labels that /metrics has', async () => {
    const declared = new Map<string, string>();
    for (const [, name = '', type = ''] of (await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      declared.set(name, type);
    }
    for (const { alert, expr } of rules) {
      const used = expr.match(/fhirsight_\w+/g) ?? [];
      if (alert !== 'FhirsightDown') expect(used.length, alert).toBeGreaterThan(0);
      for (const name of used) expect(declared.get(name), `${alert}: ${name}`).toBe('counter');
    }
  });

  it('writes what Prometheus can read: brackets that close, and a range for each rate', () => {
    for (const { alert, expr } of rules) {
      const open: string[] = [];
      for (const sign of expr.replace(/"[^"]*"/g, '').replace(/[^()[\]{}]/g, '')) {
        if ('([{'.includes(sign)) open.push(sign);
        else expect(`${open.pop()}${sign}`, alert).toMatch(/^(\(\)|\[\]|\{\})$/);
      }
      expect(open, alert).toEqual([]);
      const rates = expr.match(/\b(rate|increase)\(/g) ?? [];
      expect(expr.match(/\[\d+[mh]\]\)/g) ?? [], alert).toHaveLength(rates.length);
    }
  });

  it('names reasons to be missing that exist', () => {
    const unmapped = rules.find(({ alert }) => alert === 'FeatureUnmapped')?.expr ?? '';
    const [, reasons = ''] = /because=~"([^"]+)"/.exec(unmapped) ?? [];
    for (const reason of reasons.split('|')) expect(missingReasons).toContain(reason);
  });

  it('scrapes the port that compose.yaml gives, and reads the rules', () => {
    const config = parsePlainYaml(read('prometheus.yml')) as {
      rule_files: string[];
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    expect(config.rule_files).toEqual(['alerts.yml']);
    expect(config.scrape_configs.map(({ job_name, static_configs }) => [job_name, static_configs[0]?.targets])).toEqual(
      [['fhirsight', ['127.0.0.1:8080']]],
    );
  });
});
