/** What a newcomer can paste into a second terminal, as it is. Printed once the server is ready. */
export function readyText(
  url: string,
  options: { readonly samplePatients: boolean; readonly fhirBaseUrl?: string },
): string {
  const patient = options.samplePatients ? 'sample-0001' : '<patient id>';
  const clinicalData = options.fhirBaseUrl ?? `${url}/fhir/R4`;
  // Everybody of another server could be a whole hospital: a first try is about one patient there.
  const cohort = options.fhirBaseUrl === undefined ? '{"all":true}' : `{"search":"Patient?_id=${patient}"}`;
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

  # the same as an EHR asks for it when a chart is opened (CDS Hooks)
  curl -s -X POST '${url}/cds-services/prevent-base' \\
    -H 'Content-Type: application/json' \\
    -d '{"hook":"patient-view","hookInstance":"5d0a3f3e-6c9b-4f0e-9a65-0f6b1f2c7a10","fhirServer":"${clinicalData}","context":{"userId":"Practitioner/example","patientId":"${patient}"}}'

  # the same for a whole cohort; the answer names the run, and GET /runs/<id>/members lists what came of it
  curl -s -X POST '${url}/runs' \\
    -H 'Content-Type: application/json' \\
    -d '{"model":"prevent-base","cohort":${cohort}}'

  # what if the systolic blood pressure were 120
  curl -s -X POST '${url}/fhir/R4/Patient/${patient}/$predict' \\
    -H 'Content-Type: application/fhir+json' \\
    -d '{"resourceType":"Parameters","parameter":[{"name":"model","valueString":"prevent-base"},{"name":"input","part":[{"name":"name","valueString":"systolicBloodPressure"},{"name":"value","valueDecimal":120}]}]}'

  # the record behind it
  curl -s '${url}/fhir/R4/Observation?patient=${patient}&_sort=-date&_count=5'

Stop with Ctrl-C.
`;
}
