import { isUcumUnit } from '../../fhir/ucum.ts';
import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';

/** Every unit, and every unit that is converted from, must be a UCUM code: no value could be read otherwise. */
export function checkUnits({ features }: FeatureMap): Finding[] {
  const units = Object.entries(features).flatMap(([name, definition]) => {
    const path = `/features/${name}`;
    const unit =
      'unit' in definition && definition.unit !== undefined ? [{ path: `${path}/unit`, code: definition.unit }] : [];
    const measured = definition.kind === 'observation' || definition.kind === 'sequence' ? definition : undefined;
    const conversions = measured?.conversions ?? [];
    const forms =
      measured === undefined
        ? []
        : (['strings', 'integers'] as const).flatMap((form) => {
            const declared = measured[form];
            return typeof declared === 'object' ? [{ path: `${path}/${form}/unit`, code: declared.unit }] : [];
          });
    const answered =
      definition.kind === 'answer' && definition.yesAbove !== undefined
        ? [{ path: `${path}/yesAbove/unit`, code: definition.yesAbove.unit }]
        : [];
    return [
      ...unit,
      ...forms,
      ...answered,
      ...conversions.map(({ from }, index) => ({ path: `${path}/conversions/${index}/from`, code: from })),
    ];
  });
  return units
    .filter(({ code }) => !isUcumUnit(code))
    .map(({ path, code }) => ({
      file: 'feature-map.json',
      path,
      message: `${code} is no UCUM unit; write the case-sensitive UCUM code, such as mm[Hg], mg/dL or 10*9/L`,
    }));
}
