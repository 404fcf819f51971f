import { analyteConversion, analyteUnits } from '../model-catalog/analyte-conversion.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';

/** The unit of the analyte in which a number, given in another unit, would be plausible. */
export type UnitSuspicion = (given: number, unit: string) => string | undefined;

/**
 * For an implausible value: whether its number would be plausible in another unit of the analyte's table, which suggests a
 * wrong unit. A suspicion explains why the value is not used; it never corrects it.
 */
export function compileUnitSuspicion(definition: ObservationDefinition): UnitSuspicion {
  const { analyte, unit } = definition;
  if (analyte === undefined) return () => undefined;
  const [low, high] = definition.plausible;
  const others = analyteUnits(analyte).flatMap((other) => {
    const conversion = analyteConversion(analyte, other, unit);
    return 'refused' in conversion ? [] : [{ other, ...conversion }];
  });
  return (given, givenUnit) => {
    const likely = others.find(({ other, factor, offset }) => {
      const value = given * factor + offset;
      return other !== givenUnit && value >= low && value <= high;
    });
    return likely?.other;
  };
}
