/** What escaped text without elements says, for an element of FHIR that holds plain text. */
export function plainText(xhtml: string): string {
  return xhtml.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
