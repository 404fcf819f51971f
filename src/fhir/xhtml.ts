/** An element that holds text alone. */
export function element(name: string, text: string): string {
  return `<${name}>${escapeXhtml(text)}</${name}>`;
}

/** Escapes markup, and drops what XML 1.0 cannot hold at all. */
export function escapeXhtml(text: string): string {
  if (!/[^ !#-%'-;=?-~]/.test(text)) return text;
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
