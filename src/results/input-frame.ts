import type { Extension } from '@medplum/fhirtypes';
import { escapeXhtml } from '../fhir/xhtml.ts';
import type { FeatureLabel } from './result-request.ts';
import { unitText } from './unit-text.ts';

/** What every result of a model version says of one feature. */
export interface InputFrame {
  readonly name: Extension;
  readonly label: Extension;
  readonly labelText: string;
  /** The label as a cell of a table row, which it opens. */
  readonly rowStart: string;
  /** UCUM. */
  readonly unit: string;
  /** The unit as a reader writes it; empty where there is none. */
  readonly unitText: string;
}

export function inputFrame(name: string, { label, unit = '1' }: FeatureLabel): InputFrame {
  return {
    name: { url: 'name', valueString: name },
    label: { url: 'label', valueString: label },
    labelText: label,
    rowStart: `<tr><td>${escapeXhtml(label)}</td>`,
    unit,
    unitText: unitText(unit),
  };
}
