import type { Finding } from '../finding.ts';
import { type GoldenModel, goldenRow } from '../golden-cases.ts';
import type { RunRows } from '../model-row.ts';
import { inputColumns } from '../model-tensors.ts';
import { valueKind } from '../value-kind.ts';
import type { Checked } from './registration.ts';
import { runEach } from './run-each.ts';
import { scoreFault } from './score-fault.ts';

const longText = 100_000;

/** Texts that nobody trained with, by what they are. */
const oddTexts: Readonly<Record<string, string>> = {
  empty: '',
  blank: ' \t\r\n ',
  'very long': 'pain '.repeat(longText / 5),
  'one very long word': 'x'.repeat(longText),
  Chinese: '胸痛三天，伴呼吸困难',
  'Arabic, from right to left': 'ألم في الصدر منذ ثلاثة أيام',
  'of emoji and combining characters': '👩🏽‍⚕️ e\u0301\u0301\u0301 \u202e',
  'of control characters': '\u0001\u0007\u001b[31m\u007f\u0085',
  'with NUL': 'before\0after',
  'half a character': '\ud83d',
};

/**
 * Gives every text that the model takes odd texts in the place of that of a golden case: each has to get a score that its
 * outcomes can have, or be refused.
 */
export async function probeTexts(model: GoldenModel, run: RunRows): Promise<Checked> {
  const { manifest, featureMap, goldenCases } = model;
  const [base] = goldenCases;
  const features = [...new Set(inputColumns(manifest).map(({ feature }) => feature))].filter((name) => {
    const definition = featureMap.features[name];
    return definition !== undefined && valueKind(definition) === 'text';
  });
  const probes =
    base === undefined
      ? []
      : features.flatMap((feature) =>
          Object.entries(oddTexts).map(([what, text]) => ({
            where: `${feature} is ${what}`,
            row: goldenRow({ ...base, inputs: { ...base.inputs, [feature]: text } }, manifest, featureMap),
          })),
        );
  // Each by itself: one that is refused says nothing of the others.
  const answers: Awaited<ReturnType<typeof runEach>> = [];
  for (const { row } of probes) answers.push(...(await runEach(run, [row])));
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  probes.forEach(({ where }, index) => {
    const answer = answers[index];
    if (answer === undefined) return;
    if (!Array.isArray(answer))
      (answer.byRule ? notes : findings).push({
        file: 'model.onnx',
        path: '',
        message: `${answer.reason} where ${where}`,
      });
    else
      for (const outcome of manifest.outcomes) {
        const fault = scoreFault(outcome, answer);
        if (fault !== undefined)
          findings.push({ file: 'model.onnx', path: '', message: `${fault} where ${where}; a text may be anything` });
      }
  });
  return {
    tested: 'odd texts: empty, very long, of other scripts, with control characters, no valid Unicode',
    count: probes.length,
    notes,
    findings,
  };
}
