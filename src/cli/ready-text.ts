/** What a newcomer can paste into a second terminal, as it is. Printed once the server is ready. */
export function readyText(
  url: string,
  options: { readonly samplePatients: boolean; readonly fhirBaseUrl?: string },
): string {
  const patient = options.samplePatients ? 'sample-0001' : '<patient id>';
  const about =
    options.fhirBaseUrl !== undefined
      ? `Clinical data are read from ${options.fhirBaseUrl}.`
      : options.samplePatients
        ? 'The sample patients are synthetic. Nothing here is for clinical use.'
        : 'The store holds no sample patients; load some with: fhirsight sample --patients 100 --load (in a checkout: npm run fhirsight -- sample …)';
  return `
fhirsight is ready at ${url}

${about}

  # which models are served
  curl -s ${url}/models

  # ten-year and thirty-year cardiovascular risk (AHA PREVENT) of one patient
  curl -s -X POST '${url}/fhir/R4/Patient/${patient}/$predict' \\
    -H 'Content-Type: application/fhir+json' \\
    -d '{"resourceType":"Parameters","parameter":[{"name":"model","valueString":"prevent-base"}]}'

  # what if the systolic blood pressure were 120
  curl -s -X POST '${url}/fhir/R4/Patient/${patient}/$predict' \\
    -H 'Content-Type: application/fhir+json' \\
    -d '{"resourceType":"Parameters","parameter":[{"name":"model","valueString":"prevent-base"},{"name":"input","part":[{"name":"name","valueString":"systolicBloodPressure"},{"name":"value","valueDecimal":120}]}]}'

  # the record behind it
  curl -s '${url}/fhir/R4/Observation?patient=${patient}&_sort=-date&_count=5'

Stop with Ctrl-C.
`;
}
