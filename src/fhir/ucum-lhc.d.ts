declare module '@lhncbc/ucum-lhc' {
  interface Conversion {
    readonly status: 'succeeded' | 'failed' | 'error';
    readonly toVal: number | null;
    readonly msg: readonly string[];
  }
  interface Validation {
    readonly status: 'valid' | 'invalid' | 'error';
    readonly ucumCode: string | null;
  }
  interface UcumLhcUtils {
    validateUnitString(code: string): Validation;
    convertUnitTo(from: string, value: number, to: string): Conversion;
  }
  const ucumPackage: { readonly UcumLhcUtils: { getInstance(): UcumLhcUtils } };
  export default ucumPackage;
}
